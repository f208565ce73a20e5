"""What the expression editor "frames" declares of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...options import Options, option
from ...registry import BackEnd


@dataclass(frozen=True, kw_only=True, slots=True)
class FramesOptions(Options):
    """Options of the frames editor.

    edited_frames: The edited clip, a Video or the path of one, with as many frames as the source.
    """

    edited_frames: Any = option(
        None,
        help="The edited clip: as many frames as the source, in a video or a folder of pictures.",
        clip=True,
        required=True,
    )


BACK_END = BackEnd(
    summary="Takes frames that another system has edited already.",
    factory="editor:FramesEditor",
    options=FramesOptions,
    brings_expression=True,
)
