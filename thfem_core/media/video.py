"""A clip that can be read more than once, as a stream of frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from .frame import Frame


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoInfo:
    """What is known of a clip before decoding it.

    ``width`` and ``height`` are upright (rotation metadata applied); ``frame_count`` is the container's claim
    or an estimate from duration × rate, None if neither exists: count the frames to be sure.
    ``duration`` in seconds. ``name`` is for messages (file name, or "images").
    """

    name: str
    width: int
    height: int
    frame_rate: Fraction
    frame_count: int | None
    duration: Fraction | None
    has_sound: bool
    bit_depth: int = 8


class Video(Protocol):
    """A re-readable clip: tracking is a first pass over ``frames()``, editing a second."""

    @property
    def info(self) -> VideoInfo: ...

    def frames(self) -> Iterator[Frame]:
        """Frames in presentation order, index from 0. A new pass at each call; closing the iterator frees it."""
        ...
