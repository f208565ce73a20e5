"""Brows move as near-rigid bars: a brow whose edges move apart smears its hair."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...face.mesh import topology
from ...face.mesh.basis import load_basis

RIGIDITY = 0.85
# Skin this close (face units) above or below follows the bar, so that no hair of it is left in a stretched triangle.
BAR_REACH = 5.0


@lru_cache(maxsize=1)
def brow_stiffener() -> np.ndarray:
    """(478, 478) operator: on each brow, both edges take the mean of the paired edges; skin beside fades out."""
    canonical = load_basis().canonical
    operator = np.eye(len(canonical))
    for upper, lower in zip(topology.BROW_UPPER, topology.BROW_LOWER, strict=True):
        bar = np.zeros((len(upper), len(canonical)))
        for i, (u, lo) in enumerate(zip(upper, lower, strict=True)):
            bar[i, [u, lo]] = 0.5
        points = bar @ canonical
        half = np.linalg.norm(canonical[list(upper)] - canonical[list(lower)], axis=1).mean() / 2
        offset = canonical[:, None] - points[None]
        offset[..., 2] = 0
        distance = np.linalg.norm(offset, axis=2)
        share = np.exp(-0.5 * (distance / 6.0) ** 2) + 1e-12
        share /= share.sum(axis=1, keepdims=True)
        outside = np.maximum(0.0, distance.min(axis=1) - half)
        stiffness = RIGIDITY * np.exp(-0.5 * (outside / BAR_REACH) ** 2)
        stiffness[stiffness < 0.02] = 0
        operator += stiffness[:, None] * (share @ bar - np.eye(len(canonical)))
    return operator
