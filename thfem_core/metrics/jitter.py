"""Is the picture steady? High-frequency motion of the landmarks."""

from __future__ import annotations

import numpy as np

from ..face.mesh.alignment import align_heads, outer_eye_distance
from ..face.mesh.topology import LIPS

# Lips move fast in honest speech; everything else of the face should move smoothly.
_STEADY = np.setdiff1d(np.arange(468), LIPS)


def tremor(points: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Second difference per frame: points (T, N, 2), unit (T,) → (T − 2,), mean over points, in % of the unit."""
    second = points[:-2] - 2.0 * points[1:-1] + points[2:]
    return 100.0 * np.linalg.norm(second, axis=-1).mean(axis=1) / unit[1:-1]


def median_tremor(per_frame: np.ndarray) -> float:
    """Median over frames, so that blinks and jerks do not count; NaN without any."""
    per_frame = per_frame[np.isfinite(per_frame)]
    return float(np.median(per_frame)) if per_frame.size else float("nan")


def face_tremor(landmarks: np.ndarray) -> np.ndarray:
    """(T, 478, 2|3) pixels, *unsmoothed* → (T − 2,): tremor of the face without its lips, frame by frame."""
    return tremor(landmarks[:, _STEADY, :2].astype(np.float64), outer_eye_distance(landmarks))


def added_tremor(source: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Two (T, 478, 2|3) of the same frames → (T − 2,): tremor of what the output adds, heads laid over each other."""
    added = align_heads(output, source)[:, _STEADY] - source[:, _STEADY, :2]
    return tremor(added, outer_eye_distance(source))


def jitter(landmarks: np.ndarray) -> float:
    """Frame-to-frame tremor of the face without its lips, in % of the outer-eye distance per frame².

    landmarks: (T, 478, 2|3) pixels, *unsmoothed*, T ≥ 3; the median over time.
    """
    return median_tremor(face_tremor(landmarks))


def jitter_ratio(source: np.ndarray, output: np.ndarray) -> float:
    """:func:`jitter` of the output over that of the source: 1 = as steady; NaN for a source that does not move."""
    return tremor_ratio(face_tremor(source), face_tremor(output))


def tremor_ratio(source: np.ndarray, output: np.ndarray) -> float:
    """The same from tremors per frame."""
    base = median_tremor(source)
    return median_tremor(output) / base if base > 1e-9 else float("nan")


def added_jitter(source: np.ndarray, output: np.ndarray) -> float:
    """Tremor of the *edit*: second difference of what the output adds to the source, heads laid over each other.

    source, output: (T, 478, 2|3) pixels of the same frames. In % of the outer-eye distance per frame²; the head's own
    motion cancels, so this sees a flickering edit that :func:`jitter_ratio` drowns in head motion.
    """
    return median_tremor(added_tremor(source, output))
