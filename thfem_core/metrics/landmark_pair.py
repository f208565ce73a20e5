"""Landmarks of two versions of a clip, and all that can be read off them without any further network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..face.mesh.lip_motion import (
    closure_recall,
    lagged_correlation,
    lip_aperture,
    lip_offsets,
    lip_width,
    offset_motion,
)
from ..face.tracking.landmark_store import LandmarkStore
from .jitter import added_tremor, face_tremor, median_tremor, tremor_ratio
from .views import clear_views

MAX_LAG = 5  # frames tried each way when lips are correlated
_BLOCK = 256  # frames looked at together
_WAITING = 32  # frames per write


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LipTraces:
    """Lips per frame, in % of the outer-eye distance; NaN where a view is not clear.

    apertures: Gap of the inner lips of source and output, (T,) each.
    widths: Distance of the mouth corners of source and output, (T,) each.
    """

    apertures: tuple[np.ndarray, np.ndarray]
    widths: tuple[np.ndarray, np.ndarray]


class LandmarkPair:
    """Grows by one frame at a time; landmarks rest on disk, and what is kept in memory is 0.4 kB per frame.

    count: Frames so far.
    seen: Frames with a face, of source and output.
    """

    def __init__(self) -> None:
        self._stores = LandmarkStore(), LandmarkStore()
        self._waiting: tuple[list[np.ndarray], list[np.ndarray]] = [], []
        self.count = 0
        self.seen = [0, 0]

    def add(self, source: np.ndarray, output: np.ndarray) -> None:
        """Add the next frame's face meshes (478, 3) in both clips, in pixels; NaN without a face."""
        for side, landmarks in enumerate((source, output)):
            self._waiting[side].append(landmarks)
            self.seen[side] += bool(np.isfinite(landmarks[0, 0]))
        self.count += 1
        if len(self._waiting[0]) >= _WAITING:
            self._flush()

    def _flush(self) -> None:
        for store, rows in zip(self._stores, self._waiting, strict=True):
            if rows:
                store.append(np.stack(rows))
                rows.clear()

    def side(self, number: int) -> Iterator[np.ndarray]:
        """The landmarks (478, 3) of the source (0) or the output (1), frame by frame."""
        for start in range(0, self.count, _BLOCK):
            yield from self._read(number, start, min(start + _BLOCK, self.count))

    def _read(self, number: int, start: int, stop: int) -> np.ndarray:
        self._flush()
        return self._stores[number].read(start, stop - start)

    def _blocks(self, overlap: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Clear views of both clips, block by block; each block repeats the last ``overlap`` frames before it."""
        for start in range(0, self.count, _BLOCK):
            low, high = max(start - overlap, 0), min(start + _BLOCK, self.count)
            yield clear_views(self._read(0, low, high)), clear_views(self._read(1, low, high))

    def traces(self) -> LipTraces:
        """Lip aperture and width over time."""
        columns = [
            np.stack([lip_aperture(a), lip_aperture(b), lip_width(a), lip_width(b)], axis=1) for a, b in self._blocks()
        ]
        rows = np.concatenate(columns) if columns else np.zeros((0, 4))
        return LipTraces(apertures=(rows[:, 0], rows[:, 1]), widths=(rows[:, 2], rows[:, 3]))

    def measures(self, traces: LipTraces, *, max_lag: int = MAX_LAG) -> dict[str, float]:
        """Measures of speech and steadiness.

        Args:
            traces: What :meth:`traces` returned.
            max_lag: Frames tried each way when lips are correlated.

        Returns:
            Values by the keys of :mod:`.catalogue`; NaN where one cannot be taken.
        """
        offsets = [lip_offsets(a, b).astype(np.float32) for a, b in self._blocks()]
        tremors = [(face_tremor(a), face_tremor(b), added_tremor(a, b)) for a, b in self._blocks(overlap=2)]
        before, after, added = (np.concatenate(part) for part in zip(*tremors, strict=True))
        offset = np.concatenate(offsets)
        found = {
            "lip_distance": _mean(np.linalg.norm(offset, axis=-1).mean(axis=1)),
            "lip_motion": _mean(offset_motion(offset)),
            "jitter_ratio": tremor_ratio(before, after),
            "added_jitter": median_tremor(added),
        }
        closures = closure_recall(*traces.apertures)
        found |= {"closures_kept": closures.recall, "closures": float(closures.closures)}
        if self.count > 2 * max_lag + 2:
            opening = lagged_correlation(*traces.apertures, max_lag=max_lag)
            width = lagged_correlation(*traces.widths, max_lag=max_lag)
            found |= {"aperture_r": opening.at_zero, "width_r": width.at_zero, "aperture_best_r": opening.best}
            found["aperture_lag"] = float(opening.lag) if np.isfinite(opening.best) else float("nan")
        return found


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")
