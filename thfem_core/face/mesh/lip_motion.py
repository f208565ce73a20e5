"""Measures of whether an edit kept the lips' motion: aperture, width, distance and closures.

Landmarks are (T, 478, 2 or 3) in pixels; frames in which either face is missing (NaN) do not count. Lengths are in %
of the outer-eye distance of their own frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from .alignment import align_heads, outer_eye_distance
from .topology import INNER_LIP_PAIRS, INNER_LIPS, LIPS, MOUTH_CORNERS

# Below this the inner lips of the mesh count as touching: closed mouths fit at 0..2 % of the outer-eye distance.
CLOSED_APERTURE = 3.0


def lip_aperture(landmarks: np.ndarray) -> np.ndarray:
    """Measure how far the lips are apart.

    Args:
        landmarks: (T, 478, 2 or 3) in pixels.

    Returns:
        (T,) mean gap of the inner lips in % of the outer-eye distance.
    """
    upper, lower = np.array(INNER_LIP_PAIRS).T
    gap = np.linalg.norm(landmarks[:, upper, :2] - landmarks[:, lower, :2], axis=-1).mean(axis=1)
    return 100.0 * gap / outer_eye_distance(landmarks)


def lip_width(landmarks: np.ndarray) -> np.ndarray:
    """Measure how wide the mouth is.

    Args:
        landmarks: (T, 478, 2 or 3) in pixels.

    Returns:
        (T,) distance of the mouth corners in % of the outer-eye distance.
    """
    right, left = MOUTH_CORNERS
    width = np.linalg.norm(landmarks[:, right, :2] - landmarks[:, left, :2], axis=-1)
    return 100.0 * width / outer_eye_distance(landmarks)


@dataclass(frozen=True, kw_only=True, slots=True)
class LaggedCorrelation:
    """Pearson correlation of two signals; NaN where a signal does not vary (lag 0 then).

    at_zero: Frame by frame.
    best: The highest over all lags tried.
    lag: Where that is, in frames; positive where the second signal comes late.
    """

    at_zero: float
    best: float
    lag: int


def _pearson(a: np.ndarray, b: np.ndarray) -> float:
    valid = np.isfinite(a) & np.isfinite(b)
    a, b = a[valid].astype(np.float64), b[valid].astype(np.float64)
    if a.size < 3:
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt(np.square(a).sum() * np.square(b).sum())
    return float((a * b).sum() / scale) if scale > 1e-9 else float("nan")


def lagged_correlation(source: np.ndarray, output: np.ndarray, *, max_lag: int = 5) -> LaggedCorrelation:
    """Correlate two signals at several lags.

    Args:
        source: (T,).
        output: (T,).
        max_lag: Largest shift tried in both directions, frames; ties go to the smallest.

    Returns:
        Correlation without a shift, and the best one.

    Raises:
        InputError: The lengths differ or are not longer than 2 · max_lag + 2.
    """
    if source.shape != output.shape or source.ndim != 1:
        raise InputError(f"signals of {source.shape} and {output.shape} values differ; give clips of the same frames")
    count = len(source)
    if count <= 2 * max_lag + 2:
        raise InputError(f"{count} frames are too few for a lag of {max_lag}; give more frames or a smaller lag")
    best, best_lag = float("nan"), 0
    for lag in sorted(range(-max_lag, max_lag + 1), key=abs):
        value = _pearson(source[max(0, -lag) : count - max(0, lag)], output[max(0, lag) : count - max(0, -lag)])
        if np.isfinite(value) and not value <= best + 1e-12:
            best, best_lag = value, lag
    return LaggedCorrelation(at_zero=_pearson(source, output), best=best, lag=best_lag)


def lip_offsets(source: np.ndarray, output: np.ndarray, *, inner_only: bool = False) -> np.ndarray:
    """Measure where the lips lie from the source's, with the heads laid over each other by their rigid points.

    Args:
        source: (T, 478, 2 or 3) in pixels.
        output: (T, 478, 2 or 3) in pixels of its own picture.
        inner_only: Only the 20 points of the inner lips, not all 40.

    Returns:
        (T, 40 or 20, 2) offsets in % of the source's outer-eye distance.

    Raises:
        InputError: The lengths differ.
    """
    if len(source) != len(output):
        raise InputError(f"clips of {len(source)} and {len(output)} frames cannot be paired; give equal lengths")
    points = INNER_LIPS if inner_only else LIPS
    offset = align_heads(output, source)[:, points] - source[:, points, :2]
    return 100.0 * offset / outer_eye_distance(source)[:, None, None]


def mouth_landmark_distance(source: np.ndarray, output: np.ndarray, *, inner_only: bool = False) -> np.ndarray:
    """Measure how far the lips lie from the source's.

    An expression moves the mouth corners, so this is not 0 for a good edit; :func:`mouth_motion_distance` leaves out
    the part that stays the same over the clip. Arguments as of :func:`lip_offsets`.

    Returns:
        (T,) mean length of the offsets, % of the outer-eye distance.
    """
    return np.linalg.norm(lip_offsets(source, output, inner_only=inner_only), axis=-1).mean(axis=1)


def mouth_motion_distance(source: np.ndarray, output: np.ndarray, *, inner_only: bool = False) -> np.ndarray:
    """Measure how far the lips' motion is from the source's: a constant smile costs nothing, a flattened vowel does.

    Arguments as of :func:`lip_offsets`.

    Returns:
        (T,) as :func:`mouth_landmark_distance`, each lip point's mean offset over the clip taken out.
    """
    return offset_motion(lip_offsets(source, output, inner_only=inner_only))


def offset_motion(offsets: np.ndarray) -> np.ndarray:
    """Take the mean offset of each point out and measure what is left.

    Args:
        offsets: (T, N, 2) of a whole clip, as from :func:`lip_offsets`.

    Returns:
        (T,) mean length of what is left.
    """
    present = np.isfinite(offsets).all(axis=(1, 2))
    if not present.any():
        return np.full(len(offsets), np.nan)
    return np.linalg.norm(offsets - offsets[present].mean(axis=0), axis=-1).mean(axis=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosureRecall:
    """Mouth closures that an output keeps.

    recall: Share of the source's closures that the output closes too, 0..1; NaN without any.
    closures: How many the source has.
    """

    recall: float
    closures: int


def closure_recall(
    source_aperture: np.ndarray,
    output_aperture: np.ndarray,
    *,
    closed: float = CLOSED_APERTURE,
    slack: float = 1.0,
    tolerance: int = 1,
) -> ClosureRecall:
    """Count on how many of the source's mouth closures (p, b and m) the output's lips meet too.

    Args:
        source_aperture: (T,) as from :func:`lip_aperture`.
        output_aperture: (T,) of the same frames.
        closed: A closure is a run of source frames at or below this aperture.
        slack: The output may stay open by this much more.
        tolerance: Frames by which it may close before or after the run.

    Returns:
        Share and number of closures.

    Raises:
        InputError: The lengths differ.
    """
    if source_aperture.shape != output_aperture.shape:
        raise InputError("apertures of different length cannot be paired; give clips of the same frames")
    is_closed = np.nan_to_num(source_aperture, nan=np.inf) <= closed
    edges = np.diff(np.concatenate([[False], is_closed, [False]]).astype(np.int8))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    output = np.nan_to_num(output_aperture, nan=np.inf)
    recalled = sum(
        bool(output[max(0, start - tolerance) : stop + tolerance].min() <= closed + slack)
        for start, stop in zip(starts, stops, strict=True)
    )
    return ClosureRecall(recall=recalled / len(starts) if len(starts) else float("nan"), closures=len(starts))
