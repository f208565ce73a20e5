"""Which frame of one clip goes with each frame of another."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor

import numpy as np

from ..media.timing import frame_time


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FrameMap:
    """Which frame of a second clip goes with each frame of a first one.

    target: int64 (N,), read only: for each frame of the first clip a frame of the second; never goes back.
    first_rate: Frames per second of the first clip.
    second_rate: Frames per second of the second clip.
    mean_cost: Local cost per step of the warping path, which pairs of clips can be compared by.
    """

    target: np.ndarray
    first_rate: Fraction
    second_rate: Fraction
    mean_cost: float

    def __post_init__(self) -> None:
        target = np.array(self.target, dtype=np.int64)
        if target.ndim != 1 or not len(target) or target[0] < 0 or np.any(np.diff(target) < 0):
            raise ValueError(
                f"a frame map is one frame number ≥ 0 for each frame, in rising order, not {target.shape} {target[:4]}"
            )
        target.flags.writeable = False
        object.__setattr__(self, "target", target)

    def second_time(self, time: Fraction) -> Fraction:
        """Map a moment of the first clip to one of the second, both in seconds; held before and after the frames."""
        frame = min(max(floor(time * self.first_rate + Fraction(1, 2)), 0), len(self.target) - 1)
        return frame_time(int(self.target[frame]), self.second_rate)
