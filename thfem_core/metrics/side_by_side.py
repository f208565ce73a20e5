"""Two versions of a clip in one, for the eye: side by side, one above the other, or behind a moving line."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from math import pi, sin
from typing import Literal, get_args

import cv2
import numpy as np

from ..errors import InputError
from ..media.array_frame import ArrayFrame
from ..media.video import Video, VideoInfo
from .pairing import FramePairs

Layout = Literal["side by side", "top and bottom", "wipe", "difference"]
WIPE_PERIOD = 4.0  # seconds from the left edge to the right and back
_LINE = 2  # pixels
_GAIN = 4  # of a difference, so that faint changes show


class SideBySideVideo:
    """Two clips as one :class:`..media.video.Video`, composed frame by frame: nothing is held in memory.

    The second is scaled to the first's size where they differ. Frames pair as in :class:`.pairing.FramePairs`; times
    are the second clip's. In ``wipe`` the first clip lies left of the line; ``difference`` shows changes × 4 around
    mid-gray.
    """

    def __init__(self, first: Video, second: Video, *, layout: str = "side by side") -> None:
        if layout not in get_args(Layout):
            raise InputError(f"unknown layout {layout!r}; choose one of: {', '.join(get_args(Layout))}")
        self._pairs, self._layout = FramePairs(first, second), layout
        one = first.info
        width, height = one.width, one.height
        if layout == "side by side":
            width *= 2
        elif layout == "top and bottom":
            height *= 2
        # Encoders of 4:2:0 video want even sizes.
        self._info = replace(
            second.info, name=f"{one.name} and {second.info.name}", width=width + width % 2, height=height + height % 2
        )

    @property
    def info(self) -> VideoInfo:
        return self._info

    def frames(self) -> Generator[ArrayFrame, None, None]:
        with closing(iter(self._pairs)) as pairs:
            for index, (first, second) in enumerate(pairs):
                a, b = first.rgb(), second.rgb()
                if a.shape != b.shape:
                    shrinks = b.shape[0] > a.shape[0]
                    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
                    b = cv2.resize(b, (a.shape[1], a.shape[0]), interpolation=how)
                picture = self._composed(a, b, second.time)
                odd = ((0, picture.shape[0] % 2), (0, picture.shape[1] % 2), (0, 0))
                if odd[0][1] or odd[1][1]:
                    picture = np.pad(picture, odd, mode="edge")
                yield ArrayFrame(index=index, time=second.time, pixels=picture)

    def _composed(self, a: np.ndarray, b: np.ndarray, time: Fraction) -> np.ndarray:
        if self._layout == "side by side":
            return np.hstack([a, b])
        if self._layout == "top and bottom":
            return np.vstack([a, b])
        if self._layout == "difference":
            change = (b.astype(np.int16) - a) * _GAIN + 128
            return np.clip(change, 0, 255).astype(np.uint8)
        picture, width = b.copy(), a.shape[1]
        # A sine rests at the edges, where one clip is seen whole.
        edge = round(width * (0.5 - 0.5 * sin(2 * pi * float(time) / WIPE_PERIOD + pi / 2)))
        picture[:, :edge] = a[:, :edge]
        picture[:, max(edge - _LINE, 0) : edge + _LINE] = 255
        return picture
