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
    """One person in T consecutive frames.

    first_frame: Number of the first one in the clip.
    landmarks: (T, 478, 3) float32, smoothed without lag, gaps interpolated; NaN where the person is absent.
    weight: (T,) float32 in 0..1, how much of an edit to apply: 0 where absent, 1 on a clear view, in between on
        strong side views and at the ends of an appearance.
    yaw: (T,) float32 degrees, 0 frontal, positive where the face is turned to the image's right.
    """

    first_frame: int
    landmarks: np.ndarray
    weight: np.ndarray
    yaw: np.ndarray


class FaceTrack(Protocol):
    """One person inside one shot; ids never change within a shot."""

    @property
    def track_id(self) -> int: ...

    @property
    def first_frame(self) -> int: ...

    @property
    def stop_frame(self) -> int:
        """One past the last frame."""
        ...

    def samples(self, start: int, stop: int) -> FaceSamples:
        """Read frames [start, stop) of the clip, any range; absent frames are NaN with weight 0."""
        ...


class FaceTracks(Protocol):
    """Everybody in a clip. Small, immutable and safe to keep: memory does not grow with the clip's length."""

    @property
    def frame_count(self) -> int: ...

    @property
    def frame_rate(self) -> Fraction: ...

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frame, pixels."""
        ...

    @property
    def tracks(self) -> Sequence[FaceTrack]: ...

    @property
    def cuts(self) -> Sequence[int]:
        """First frames of the shots after the first."""
        ...

    def select(self, choice: FaceChoice, *, order: FaceOrder = "left-right") -> tuple[FaceTrack, ...]:
        """Pick the tracks a user means.

        Args:
            choice: Per shot the largest face, or the one of this number in the given order, or all.
            order: What the numbers follow; ``size`` is size on screen times time on screen.

        Returns:
            The tracks, in order of time.

        Raises:
            InputError: No shot has that face; the message names the numbers that exist.
        """
        ...

    def missing_frames(self, chosen: Sequence[FaceTrack]) -> list[range]:
        """List the runs of frames in which none of the chosen tracks has weight above 0."""
        ...
