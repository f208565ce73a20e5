"""The size of a face in a picture, and faces laid over each other so that measures do not see the head move."""

from __future__ import annotations

import numpy as np

from ..pose import RIGID_POINTS
from .topology import OUTER_EYE_CORNERS


def outer_eye_distance(landmarks: np.ndarray) -> np.ndarray:
    """Measure the distance of the outer eye corners, the unit of length of all measures of a face.

    Args:
        landmarks: (T, 478, 2 or 3) in pixels.

    Returns:
        (T,) pixels.
    """
    right, left = OUTER_EYE_CORNERS
    return np.linalg.norm(landmarks[:, right, :2] - landmarks[:, left, :2], axis=-1)


def similarity(points: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit rotation, scale and shift that carry points onto targets, by least squares in closed form.

    In the plane a rotation with scale is a complex factor a + ib, so the fit is one division. It never mirrors.
    Source: Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991.

    Args:
        points: (T, N, 2).
        targets: (T, N, 2).

    Returns:
        Matrices (T, 2, 2) and offsets (T, 2): target ≈ matrix · point + offset. NaN where all points coincide.
    """
    mean_p, mean_t = points.mean(axis=1, keepdims=True), targets.mean(axis=1, keepdims=True)
    p, t = points - mean_p, targets - mean_t
    norm = np.square(p).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        a = (p * t).sum(axis=(1, 2)) / norm
        b = (p[..., 0] * t[..., 1] - p[..., 1] * t[..., 0]).sum(axis=1) / norm
    matrix = np.stack([np.stack([a, -b], -1), np.stack([b, a], -1)], -2)
    offset = mean_t[:, 0] - np.einsum("tij,tj->ti", matrix, mean_p[:, 0])
    return matrix, offset


def align_heads(landmarks: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Lay each frame's face over the reference's of the same frame, by the points that expressions hardly move.

    Args:
        landmarks: (T, 478, 2 or 3) in pixels.
        reference: (T, 478, 2 or 3) in pixels of its own picture.

    Returns:
        (T, 478, 2) float64 in the reference's pixels.
    """
    points, targets = landmarks[..., :2].astype(np.float64), reference[..., :2].astype(np.float64)
    matrix, offset = similarity(points[:, RIGID_POINTS], targets[:, RIGID_POINTS])
    return np.einsum("tij,tnj->tni", matrix, points) + offset[:, None]
