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

    Args:
        first: The clip shown left or above.
        second: The clip shown right or below.
        layout: One of :data:`Layout`.
        labels: What is written onto the first and onto the second clip, in ASCII; empty for nothing.

    Raises:
        InputError: There is no such layout.
    """

    def __init__(
        self, first: Video, second: Video, *, layout: str = "side by side", labels: tuple[str, str] = ("", "")
    ) -> None:
        if layout not in get_args(Layout):
            raise InputError(f"unknown layout {layout!r}; choose one of: {', '.join(get_args(Layout))}")
        self._pairs, self._layout, self._labels = FramePairs(first, second), layout, labels
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
        if self._layout == "difference":
            change = (b.astype(np.int16) - a) * _GAIN + 128
            return np.clip(change, 0, 255).astype(np.uint8)
        at_right = self._layout == "wipe"  # both clips share the picture
        a, b = labelled(a, self._labels[0]), labelled(b, self._labels[1], at_right=at_right)
        if self._layout == "side by side":
            return np.hstack([a, b])
        if self._layout == "top and bottom":
            return np.vstack([a, b])
        picture, width = b.copy(), a.shape[1]
        # A sine rests at the edges, where one clip is seen whole.
        edge = round(width * (0.5 - 0.5 * sin(2 * pi * float(time) / WIPE_PERIOD + pi / 2)))
        picture[:, :edge] = a[:, :edge]
        picture[:, max(edge - _LINE, 0) : edge + _LINE] = 255
        return picture


def labelled(picture: np.ndarray, label: str, *, at_right: bool = False) -> np.ndarray:
    """Write a label into an upper corner of a picture.

    Args:
        picture: uint8 RGB (height, width, 3).
        label: ASCII text; empty for none.
        at_right: Whether it goes into the right corner instead of the left one.

    Returns:
        A copy with the label, or the picture itself.
    """
    if not label:
        return picture
    height, width = picture.shape[:2]
    scale, font = min(height, width) / 480, cv2.FONT_HERSHEY_SIMPLEX
    thickness, margin = max(1, round(2 * scale)), round(10 * scale)
    (length, above), below = cv2.getTextSize(label, font, 0.7 * scale, thickness)
    left = max(width - length - 2 * margin, 0) if at_right else 0
    picture = picture.copy()
    plate = picture[: above + below + margin, left : left + length + 2 * margin]
    plate[:] = plate // 3
    cv2.putText(picture, label, (left + margin, above + margin), font, 0.7 * scale, (255,) * 3, thickness, cv2.LINE_AA)
    return picture
