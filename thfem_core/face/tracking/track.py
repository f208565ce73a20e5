"""What tracking hands to every later stage: smoothed landmarks of each person over time.

Convention: landmarks are float32 ``(478, 3)`` in MediaPipe's order: x, y in pixels of the upright full frame
(x right, y down, centre of the top-left pixel at 0.5), z in the same unit, negative towards the camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

import numpy as np

FaceOrder = Literal["left-right", "size"]
FaceChoice = int | Literal["largest", "all"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceSamples:
    """A run of consecutive frames of one person. T = number of frames.

    landmarks: (T, 478, 3) float32, smoothed without lag, gaps interpolated; NaN where the person is absent.
    weight: (T,) float32 in 0..1, how much of an edit to apply: 0 where absent, 1 on a clear view, in between on
        strong side views and at the ends of an appearance.
    yaw: (T,) float32 degrees, 0 = frontal, positive = the person's face turned to the image's right.
    """

    first_frame: int
    landmarks: np.ndarray
    weight: np.ndarray
    yaw: np.ndarray


class FaceTrack(Protocol):
    """One person inside one shot; ids never change within a shot."""

    track_id: int
    first_frame: int
    stop_frame: int  # one past the last frame

    def samples(self, start: int, stop: int) -> FaceSamples:
        """Frames [start, stop) of the clip (any range; absent frames are NaN with weight 0)."""
        ...


class FaceTracks(Protocol):
    """Everybody in a clip. Small, immutable and safe to keep: memory does not grow with the clip's length."""

    frame_count: int
    frame_rate: Fraction
    size: tuple[int, int]  # width, height
    tracks: Sequence[FaceTrack]
    cuts: Sequence[int]  # first frames of the shots after the first

    def select(self, choice: FaceChoice, *, order: FaceOrder = "left-right") -> tuple[FaceTrack, ...]:
        """The tracks a user means: per shot the largest face, or the INDEX-th in the given order, or all.

        Raises InputError, naming the numbers that exist, if no shot has that face.
        """
        ...

    def missing_frames(self, chosen: Sequence[FaceTrack]) -> list[range]:
        """Runs of frames in which none of the chosen tracks has weight > 0."""
        ...
