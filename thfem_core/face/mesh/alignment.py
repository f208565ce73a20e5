"""Least-squares similarity between point sets, for measures that must not see the head move."""

from __future__ import annotations

import numpy as np

from ..pose import RIGID_POINTS


def similarity(points: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rotation-and-scale that carries ``points`` onto ``targets`` best, in closed form (Umeyama 1991, in 2D).

    points, targets: (T, N, 2). Returns (matrix (T, 2, 2), offset (T, 2)): target ≈ matrix · point + offset.
    The matrix never mirrors. Where all points coincide the scale is undefined and the result NaN.
    """
    mean_p, mean_t = points.mean(axis=1, keepdims=True), targets.mean(axis=1, keepdims=True)
    p, t = points - mean_p, targets - mean_t
    # In the plane a similarity is a complex factor a + ib, so the fit is one division.
    norm = np.square(p).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        a = (p * t).sum(axis=(1, 2)) / norm
        b = (p[..., 0] * t[..., 1] - p[..., 1] * t[..., 0]).sum(axis=1) / norm
    matrix = np.stack([np.stack([a, -b], -1), np.stack([b, a], -1)], -2)
    offset = mean_t[:, 0] - np.einsum("tij,tj->ti", matrix, mean_p[:, 0])
    return matrix, offset


def align_heads(landmarks: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Lay each frame's face over the reference's by its rigid points.

    landmarks, reference: (T, 478, 2|3) pixels, frame by frame. Returns (T, 478, 2) float64 in the reference's pixels.
    """
    points, targets = landmarks[..., :2].astype(np.float64), reference[..., :2].astype(np.float64)
    matrix, offset = similarity(points[:, RIGID_POINTS], targets[:, RIGID_POINTS])
    return np.einsum("tij,tnj->tni", matrix, points) + offset[:, None]
