"""What the embedded talking head ``mouth`` declares of itself."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import InputError
from ...options import Options, option
from ...registry import BackEnd
from ...weights.model import Model, ModelFile

_FILES = (
    ("basis", 189696, "e24a545316bc2a1b4f6d34fdffc0a62e4f1f12da4ba39c0fb2ddb09a5862f4de"),
    ("motion", 1291560, "e3a4f46ddd10599d824253e0c78674bfaa88bb2f2cb1c65e5ee5bf470b6cda35"),
    ("renderer", 2600832, "b8fc5f5848bfc999664d6e5182352dd2e774d576b27aff0dfe3c367f08aba153"),
)
MODEL = Model(
    name="mouth",
    purpose="embedded talking head",
    origin="embedded",
    files=tuple(
        ModelFile(role=role, names=(f"mouth_{role}.safetensors",), size=size, sha256=sha256)
        for role, size, sha256 in _FILES
    ),
    licence="CC BY-NC 4.0",
    commercial=False,
    link="MODEL_CARD.md of the package",
    note="edits work without it: --talking-head none",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MouthOptions(Options):
    """Options of the embedded talking head.

    Lips of the unedited clip that an edit hardly changes stay as edited; ``keep_below`` and ``redraw_above`` say how
    much change that is. Both are mean distances between edited and original lips, in face units (1 % of the distance
    between the outer eye corners); between the two, the redrawn mouth is blended in.
    """

    amount: float = option(1.0, help="How far sound moves the lips, 0 (still) to 2.", minimum=0.0, maximum=2.0)
    keep_below: float = option(
        1.5,
        help="Where the lips of the clip are known: change of the lips by the edit, in percent of the distance between "
        "the outer eye corners, up to which they stay as edited.",
        minimum=0.0,
        advanced=True,
    )
    redraw_above: float = option(
        2.0, help="Change of the lips by the edit from which they are redrawn; above keep-below.", advanced=True
    )
    lip_smoothing: int = option(
        10,
        help="Frames on either side over which the change of the lips is averaged.",
        minimum=1,
        maximum=50,
        advanced=True,
    )
    network: bool = option(
        True,
        help="Paint the inside of the mouth with the network; without it the picture is only warped.",
        advanced=True,
    )

    def __post_init__(self) -> None:
        Options.__post_init__(self)
        if not self.keep_below < self.redraw_above:
            raise InputError(
                f"keep-below is {self.keep_below:g} and redraw-above {self.redraw_above:g}; "
                "give a keep-below that is smaller than redraw-above"
            )


BACK_END = BackEnd(
    summary="The embedded model: moves the lower face at the picture's own resolution; needs no download.",
    factory="head:load",
    options=MouthOptions,
    models=(MODEL,),
)
