"""Is the picture steady? High-frequency motion of the landmarks."""

from __future__ import annotations

import numpy as np

from ..face.mesh.alignment import align_heads, outer_eye_distance
from ..face.mesh.topology import LIPS

# Lips move fast in honest speech; everything else of the face should move smoothly.
_STEADY = np.setdiff1d(np.arange(468), LIPS)


def tremor(points: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Length of the points' second difference in time, which is large for tremor and small for smooth motion.

    Args:
        points: (T, N, 2) pixels.
        unit: Length of the unit in each frame, (T,) pixels.

    Returns:
        Mean over the points, (T − 2,) in % of the unit.
    """
    second = points[:-2] - 2.0 * points[1:-1] + points[2:]
    return np.asarray(100.0 * np.linalg.norm(second, axis=-1).mean(axis=1) / unit[1:-1])


def median_tremor(per_frame: np.ndarray) -> float:
    """Median over frames, so that blinks and jerks do not count; NaN without any."""
    per_frame = per_frame[np.isfinite(per_frame)]
    return float(np.median(per_frame)) if per_frame.size else float("nan")


def face_tremor(landmarks: np.ndarray) -> np.ndarray:
    """Tremor of the face without its lips, frame by frame: unsmoothed landmarks (T, 478, 2 or 3) pixels → (T − 2,)."""
    return tremor(landmarks[:, _STEADY, :2].astype(np.float64), outer_eye_distance(landmarks))


def added_tremor(source: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Tremor of what the output adds to the source, heads laid over each other: two (T, 478, 2 or 3) → (T − 2,)."""
    added = align_heads(output, source)[:, _STEADY] - source[:, _STEADY, :2]
    return tremor(added, outer_eye_distance(source))


def jitter(landmarks: np.ndarray) -> float:
    """Tremor of a clip's face without its lips.

    Args:
        landmarks: *Unsmoothed* face meshes in pixels, (T, 478, 2) or (T, 478, 3), T ≥ 3.

    Returns:
        Median over time, in % of the outer-eye distance per frame².
    """
    return median_tremor(face_tremor(landmarks))


def jitter_ratio(source: np.ndarray, output: np.ndarray) -> float:
    """:func:`jitter` of the output over that of the source: 1 = as steady; NaN for a source that does not move."""
    return tremor_ratio(face_tremor(source), face_tremor(output))


def tremor_ratio(source: np.ndarray, output: np.ndarray) -> float:
    """The same ratio from tremors per frame, (T − 2,) each."""
    base = median_tremor(source)
    return median_tremor(output) / base if base > 1e-9 else float("nan")


def added_jitter(source: np.ndarray, output: np.ndarray) -> float:
    """Tremor of the *edit*: second difference of what the output adds to the source, heads laid over each other.

    The head's own motion cancels, so this sees a flickering edit that :func:`jitter_ratio` drowns in head motion.

    Args:
        source: Face meshes in pixels, (T, 478, 2) or (T, 478, 3).
        output: Face meshes of the same frames.

    Returns:
        Median over time, in % of the outer-eye distance per frame².
    """
    return median_tremor(added_tremor(source, output))
