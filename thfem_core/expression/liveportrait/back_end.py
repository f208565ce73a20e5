"""What the editor ``liveportrait`` declares of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ...errors import InputError
from ...networks.liveportrait.model import LIVEPORTRAIT, LIVEPORTRAIT_MIT
from ...networks.liveportrait.options import Pasting
from ...networks.pctalk.model import PCTALK_EMOTION, PCTALK_LIPS, PCTALK_STYLE
from ...networks.pctalk.options import LIP_SCALE, LIP_SCALE_HELP, PERSON, PERSON_HELP, SPEAKING_STYLE_HELP
from ...networks.precision import PRECISION_HELP, Precision
from ...options import Options, option
from ...registry import BackEnd

Motion = Literal["relative", "absolute"]
Copied = Literal["expression", "all", "pose", "eyes", "lips"]
Lips = Literal["shifted", "kept", "free", "sound"]
Emotions = Literal["sliders", "sound"]
Composition = Literal["liveportrait", "advancedliveportrait"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LivePortraitOptions(Options):
    """Options of the editor."""

    lips: Lips = option(
        "shifted",
        help="What the expression does to the lips: kept as in each frame, shifted by the same amount in all frames "
        "(a smile stays a smile, speech stays readable), or free to follow it. sound: PC-Talk moves them by what is "
        "said, in the same picture (needs its files, whose terms are unclear), and no talking head draws them again.",
    )
    lip_share: float = option(
        0.3, help="Share of the expression's own lips by which shifted lips move.", minimum=0.0, maximum=1.0
    )
    emotions: Emotions = option(
        "sliders",
        help="What shows an emotion: a preset of sliders, or PC-Talk's network, which hears what is said (needs its "
        "files, whose terms are unclear).",
    )
    lip_scale: float = option(LIP_SCALE, help=LIP_SCALE_HELP, minimum=0.0, maximum=1.5, advanced=True)
    speaking_style: Any = option(None, help=SPEAKING_STYLE_HELP, clip=True)
    person: int = option(PERSON, help=PERSON_HELP, minimum=0, advanced=True)
    neutralise: float = option(
        0.0, help="Share of the person's own expression that is taken away first.", minimum=0.0, maximum=1.0
    )
    pasting: Pasting = option(
        "difference",
        help="How the drawn face reaches the frame: the difference of two drawn faces on the native pixels (keeps "
        "their sharpness and colour, takes twice as long), or the plain drawn face.",
    )
    motion: Motion = option(
        "relative",
        help="With a reference: add how it changes from its first frame (relative), or copy its expression (absolute).",
    )
    copied: Copied = option(
        "expression", help="With a reference: what is copied; all and pose move the head too.", advanced=True
    )
    smoothing: float = option(
        1.0,
        help="How strongly a copied motion is smoothed over time; 1 as LivePortrait does, 0 not at all.",
        minimum=0.0,
        maximum=1000.0,
        advanced=True,
    )
    stitching: bool = option(True, help="Neck and shoulders of the drawn face meet those of the frame.", advanced=True)
    steady_eyes: bool = option(False, help="Eyes stay as open as in the first frame.", advanced=True)
    close_lips: bool = option(
        False, help="With free lips: close open lips before the expression opens them.", advanced=True
    )
    composition: Composition = option(
        "liveportrait",
        help="How sliders act on a turned head: as in LivePortrait, or as in the node AdvancedLivePortrait, for "
        "numbers tuned there.",
        advanced=True,
    )
    batch: int = option(
        0,
        help="Faces drawn at once; 0 chooses. It is halved where memory runs out.",
        minimum=0,
        maximum=64,
        advanced=True,
    )
    precision: Precision = option("auto", help=PRECISION_HELP, advanced=True)
    compiled: bool = option(
        False, help="Compile the drawing networks: slow to start, faster in long clips on a card.", advanced=True
    )

    def __post_init__(self) -> None:
        Options.__post_init__(self)  # a class with slots has no super() of its own
        if self.speaking_style is not None and self.lips != "sound":
            raise InputError("speaking-style is for lips from sound; choose --lips sound, or leave it out")


BACK_END = BackEnd(
    summary="LivePortrait: draws the face anew, with teeth and folds; MIT files from the Hugging Face hub (520 MB).",
    factory="editor:load",
    options=LivePortraitOptions,
    models=(LIVEPORTRAIT, LIVEPORTRAIT_MIT, PCTALK_EMOTION, PCTALK_LIPS, PCTALK_STYLE),
    permissive={"emotions": ("sliders",), "lips": ("shifted", "kept", "free")},
)
