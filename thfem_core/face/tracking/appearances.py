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
    """segments: in order of time, at least one. canonical: (478, 3) as in :mod:`..mesh.canonical`. size: (width,
    height) of the frame. fade: frames. max_gap: the longest interpolated gap within a segment, in frames.
    """

    segments: tuple[Segment, ...]
    canonical: np.ndarray
    size: tuple[int, int]
    fade: int
    max_gap: int
    smoothing: SmoothingConfig
    weighting: WeightConfig

    def sparse(self, count: int) -> Iterator[np.ndarray]:
        """About ``count`` raw fits (478, 3), evenly over time; at least one."""
        step = max(1, sum(s.stop - s.first for s in self.segments) // count)
        for segment in self.segments:
            for frame in range(segment.first, segment.stop, step):
                row = segment.read(frame, frame + 1)[0]
                if not np.isnan(row[0, 0]):
                    yield row

    def block(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Landmarks, weight and yaw (see :class:`.track.FaceSamples`) of frames [number · BLOCK, (number + 1) · BLOCK).

        Blocks join without a seam: each is what smoothing the whole segment at once would give.
        """
        start, stop = number * BLOCK, (number + 1) * BLOCK
        landmarks = np.full((BLOCK, 478, 3), np.nan, np.float32)
        weight, yaw = np.zeros(BLOCK, np.float32), np.full(BLOCK, np.nan, np.float32)
        for segment in self.segments:
            a, b = max(start, segment.first), min(stop, segment.stop)
            if a >= b:
                continue
            here = slice(a - start, b - start)
            landmarks[here] = self._smoothed(segment, a, b)
            yaw[here] = head_pose(landmarks[here], self.canonical).angles()[:, 0]
            weight[here] = edit_weight(landmarks[here], yaw[here], self.size, self.weighting) * edge_fade(
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
