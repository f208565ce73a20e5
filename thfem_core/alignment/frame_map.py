"""Which frame of one clip goes with each frame of another."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor

import numpy as np

from ..media.timing import frame_time


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FrameMap:
    """target: int64 (N,), read-only: for each frame of the first clip a frame of the second; never goes back.

    first_rate, second_rate: the exact rates at which the frames of both clips are counted. cost: local costs along the
    warping path in all; mean_cost: per step of it, to compare pairs of clips.
    """

    target: np.ndarray
    first_rate: Fraction
    second_rate: Fraction
    cost: float
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
        """The moment of the second clip (seconds) for a moment of the first; held before and after its frames."""
        frame = min(max(floor(time * self.first_rate + Fraction(1, 2)), 0), len(self.target) - 1)
        return frame_time(int(self.target[frame]), self.second_rate)

    @property
    def offsets(self) -> np.ndarray:
        """float64 (N,): by how many seconds the second clip says later what the first says now."""
        count = np.arange(len(self.target))
        return self.target / float(self.second_rate) - count / float(self.first_rate)
