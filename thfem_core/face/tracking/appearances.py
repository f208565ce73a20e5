"""A person's appearances in one shot, smoothed block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..pose import head_pose
from ..weight import WeightConfig, edge_fade, edit_weight
from .landmark_store import Segment
from .smoothing import SmoothingConfig, fill_gaps, smooth_landmarks

BLOCK = 64  # frames smoothed at a time


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Appearances:
    """Where a person is seen in a shot, and how their landmarks become samples.

    segments: Unbroken appearances in order of time, at least one.
    canonical: (478, 3), see :mod:`..mesh.canonical`.
    size: Width and height of the frame, pixels.
    fade: Frames over which an edit comes and goes.
    max_gap: Longest interpolated gap within a segment, frames.
    smoothing: How landmarks are smoothed.
    weighting: How strongly edits act.
    """

    segments: tuple[Segment, ...]
    canonical: np.ndarray
    size: tuple[int, int]
    fade: int
    max_gap: int
    smoothing: SmoothingConfig
    weighting: WeightConfig

    def sparse(self, count: int) -> Iterator[np.ndarray]:
        """Yield about ``count`` fits (478, 3) as the network gave them, evenly over time; at least one."""
        step = max(1, sum(s.stop - s.first for s in self.segments) // count)
        for segment in self.segments:
            for frame in range(segment.first, segment.stop, step):
                row = segment.read(frame, frame + 1)[0]
                if not np.isnan(row[0, 0]):
                    yield row

    def block(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compute a block of frames; blocks join as if the whole segment were smoothed at once.

        Args:
            number: The block holds frames [number · BLOCK, (number + 1) · BLOCK) of the clip.

        Returns:
            Landmarks, weight and yaw, see :class:`.track.FaceSamples`.
        """
        start, stop = number * BLOCK, (number + 1) * BLOCK
        landmarks = np.full((BLOCK, 478, 3), np.nan, np.float32)
        weight, yaw = np.zeros(BLOCK, np.float32), np.full(BLOCK, np.nan, np.float32)
        for segment in self.segments:
            a, b = max(start, segment.first), min(stop, segment.stop)
            if a >= b:
                continue
            rows = slice(a - start, b - start)
            landmarks[rows] = self._smoothed(segment, a, b)
            yaw[rows] = head_pose(landmarks[rows], self.canonical).angles()[:, 0]
            weight[rows] = edit_weight(landmarks[rows], yaw[rows], self.size, self.weighting) * edge_fade(
                np.arange(a, b),
                segment.first,
                segment.stop,
                self.fade,
                fades_in=segment.fades_in,
                fades_out=segment.fades_out,
            )
        return landmarks, weight, yaw

    def _smoothed(self, segment: Segment, start: int, stop: int) -> np.ndarray:
        """Frames [start, stop) of a segment, from a stretch wide enough that its own ends do not show."""
        reach = self.smoothing.reach + self.max_gap
        low, high = max(start - reach, segment.first), min(stop + reach, segment.stop)
        raw = segment.read(low, high)
        present = np.flatnonzero(~np.isnan(raw[:, 0, 0]))
        low, raw = low + int(present[0]), raw[present[0] : present[-1] + 1]
        smooth = smooth_landmarks(fill_gaps(raw), self.canonical, self.smoothing)
        return smooth[start - low : stop - low]
