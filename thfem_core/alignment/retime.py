"""A clip shown at the pace of another one that says the same words."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, cast

from ..errors import InputError
from ..media.frame import Frame
from ..media.sound import Sound
from ..media.video import SourceFile, Video, VideoInfo
from .frame_map import FrameMap


@dataclass(frozen=True, kw_only=True, slots=True)
class RetimedVideo:
    """At each frame of one clip the picture of another that belongs to it (implements :class:`..media.video.Video`).

    Frame count, numbers, times, rate and sound are those of the first clip; size, colours and pixels are those of the
    second. Both are read once, forward, so memory does not depend on their length.

    first: The clip whose pace is kept.
    second: The clip whose pictures are shown.
    frame_map: Which picture goes with which frame.

    Raises:
        InputError: The pixels of the two have different shapes.
    """

    first: Video
    second: Video
    frame_map: FrameMap

    def __post_init__(self) -> None:
        aspects = [clip.info.pixel_aspect or 1 for clip in (self.first, self.second)]
        if aspects[0] != aspects[1]:
            raise InputError(
                f"{self.first.info.name} has pixels of shape {aspects[0]} and {self.second.info.name} of "
                f"{aspects[1]}; convert both to square pixels"
            )

    @property
    def info(self) -> VideoInfo:
        pictures = self.second.info
        return replace(
            self.first.info,
            name=pictures.name,
            width=pictures.width,
            height=pictures.height,
            bit_depth=pictures.bit_depth,
            colour=pictures.colour,
        )

    @property
    def source(self) -> SourceFile | None:
        return self.first.source

    def frames(self, *, warn: Callable[[str], None] | None = None) -> Generator[Frame, None, None]:
        with closing(self.first.frames(warn=warn)) as clock, closing(self.second.frames(warn=warn)) as pictures:
            coming = next(pictures, None)
            shown = coming
            for tick in clock:
                moment = self.frame_map.second_time(tick.time)
                while coming is not None and coming.time <= moment:
                    shown, coming = coming, next(pictures, None)
                if shown is not None:
                    yield replace(cast(Any, shown), index=tick.index, time=tick.time)

    def sound_blocks(self, *, warn: Callable[[str], None] | None = None) -> Generator[Sound, None, None]:
        yield from self.first.sound_blocks(warn=warn)
