"""Is the picture steady? High-frequency motion of the landmarks."""

from __future__ import annotations

import numpy as np

from .alignment import align_heads
from .points import LIPS, outer_eye_distance

# Lips move fast in honest speech; everything else of the face should move smoothly.
_STEADY = np.setdiff1d(np.arange(468), LIPS)


def _tremor(points: np.ndarray, unit: np.ndarray) -> float:
    """Median over frames of the mean second difference: points (T, N, 2), unit (T,) → float; NaN below 3 frames."""
    second = points[:-2] - 2.0 * points[1:-1] + points[2:]
    per_frame = 100.0 * np.linalg.norm(second, axis=-1).mean(axis=1) / unit[1:-1]
    per_frame = per_frame[np.isfinite(per_frame)]
    return float(np.median(per_frame)) if per_frame.size else float("nan")


def jitter(landmarks: np.ndarray) -> float:
    """Frame-to-frame tremor of the face without its lips, in % of the outer-eye distance per frame².

    landmarks: (T, 478, 2|3) pixels, *unsmoothed*, T ≥ 3. Median over time, so that blinks and jerks do not count.
    """
    points = landmarks[:, _STEADY, :2].astype(np.float64)
    return _tremor(points, outer_eye_distance(landmarks))


def jitter_ratio(source: np.ndarray, output: np.ndarray) -> float:
    """:func:`jitter` of the output over that of the source: 1 = as steady; NaN for a source that does not move."""
    base = jitter(source)
    return jitter(output) / base if base > 1e-9 else float("nan")


def added_jitter(source: np.ndarray, output: np.ndarray) -> float:
    """Tremor of the *edit*: second difference of what the output adds to the source, heads laid over each other.

    source, output: (T, 478, 2|3) pixels of the same frames. In % of the outer-eye distance per frame²; the head's own
    motion cancels, so this sees a flickering edit that :func:`jitter_ratio` drowns in head motion.
    """
    added = align_heads(output, source)[:, _STEADY] - source[:, _STEADY, :2]
    return _tremor(added, outer_eye_distance(source))
