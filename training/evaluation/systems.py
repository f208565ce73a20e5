"""The systems under test: an expression editor, with or without a talking head behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from thfem_core.errors import InputError
from thfem_core.expression.editor import editors
from thfem_core.expression.request import ExpressionRequest, ReferenceClip
from thfem_core.media.open_video import open_video
from thfem_core.media.sound_file import read_sound
from thfem_core.pipeline import EditConfig, edit_to_file
from thfem_core.talking_head.head import talking_heads
from thfem_core.talking_head.windows import WindowConfig

from .pairs import Pair

NO_EDITOR = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class System:
    """An expression editor, with or without a talking head behind it.

    Attributes:
        name: in tables.
        editor: of the registry, or "none" for the source itself.
        by_label: edit to the emotion's label instead of the reference clip.
        frames: for the editor "frames", the folder whose ``SETTING/SOURCE__EMOTION.mp4`` (or folder of images of that
            name) hold another system's results.
        talking_head: of the registry, or None.
        window: n, frames predicted from one.
    """

    name: str
    editor: str
    by_label: bool = False
    frames: Path | None = None
    talking_head: str | None = None
    window: int = 5


def parse_system(text: str) -> System:
    """Read a system as the command takes it.

    Args:
        text: ``NAME=EDITOR[:label|:FOLDER][+TALKING_HEAD][@WINDOW]``; without ``NAME=`` the text itself is the name.
            For example ``mesh``, ``ours=mesh:label+mouth``, ``NED=frames:results/ned``, ``EAT=none+eat``,
            ``NED+EAT@20=frames:results/ned+eat@20``.

    Raises:
        InputError: a part is unknown or does not fit.
    """
    name, given, rest = text.partition("=")
    rest = rest if given else text
    rest, _, window = rest.partition("@")
    first, _, head = rest.partition("+")
    editor, _, option = first.partition(":")
    known = (*editors.names(), NO_EDITOR)
    if editor not in known:
        raise InputError(f"unknown editor {editor!r} in {text!r}; choose one of: {', '.join(known)}")
    if head and head not in talking_heads.names():
        raise InputError(
            f"unknown talking head {head!r} in {text!r}; choose one of: {', '.join(talking_heads.names())}"
        )
    if (editor == "frames") != bool(option and option != "label"):
        raise InputError(f"{text!r}: only frames takes a folder, and it needs one, as in NED=frames:results/ned")
    if window and not window.isdecimal():
        raise InputError(f"the window {window!r} in {text!r} is no number of frames; write @5")
    if not name or "/" in name or "\\" in name or name in (".", ".."):
        raise InputError(f"{text!r} needs a name that can be a folder: write NAME={rest}")
    config = WindowConfig(size=int(window)) if window else WindowConfig()
    return System(
        name=name,
        editor=editor,
        by_label=option == "label",
        frames=Path(option) if editor == "frames" else None,
        talking_head=head or None,
        window=config.size,
    )


def job_name(pair: Pair) -> str:
    """``SOURCE__EMOTION``, the file name of a result within its setting."""
    return f"{pair.source.name}__{pair.emotion}"


def run_system(system: System, pair: Pair, output: Path, *, device: torch.device) -> None:
    """Make the system's result of a pair. The file appears only when it is complete. Raises ThfemError."""
    video = open_video(pair.source.video)
    config = EditConfig(talking_head=system.talking_head, window=WindowConfig(size=system.window))
    if system.editor != NO_EDITOR:
        copied = system.frames is None and not system.by_label
        config = replace(
            config,
            request=ExpressionRequest(
                emotion=None if copied else pair.emotion,
                reference=ReferenceClip(video=open_video(pair.reference.video)) if copied else None,
            ),
            editor=system.editor,
            editor_options={} if system.frames is None else {"edited_frames": _foreign_result(system, pair)},
        )
    edit_to_file(
        video,
        output,
        config,
        device=device,
        sound=None if pair.source.sound is None else read_sound(pair.source.sound),
    )


def _foreign_result(system: System, pair: Pair) -> Path:
    assert system.frames is not None
    place = system.frames / pair.setting / job_name(pair)
    for path in (place, place.with_name(place.name + ".mp4")):
        if path.exists():
            return path
    raise InputError(f"{system.name}: there is no result {place}.mp4 (nor a folder of that name)")
