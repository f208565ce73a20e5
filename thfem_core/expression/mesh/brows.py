"""Brows move as near-rigid bars: a brow whose edges move apart smears its hair."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...face.mesh.basis import load_basis
from ...face.mesh.topology import BROW_LOWER, BROW_UPPER

RIGIDITY = 0.85  # share of the bar's motion that a brow takes
# Standard deviations, face units: along the bar, within which points of the bar share in a point's motion; across it,
# how far skin above and below follows, so that no hair is left in a stretched triangle.
ALONG, ACROSS = 6.0, 5.0
NEGLIGIBLE = 0.02


@lru_cache(maxsize=1)
def rigid_brow_operator() -> np.ndarray:
    """Build the operator that makes both edges of each brow move alike.

    Returns:
        (478, 478): applied to a displacement field (478, 3), each brow takes the mean motion of its paired edges;
        beside the brows the field fades back into itself.
    """
    canonical = load_basis().canonical
    operator = np.eye(len(canonical))
    for upper, lower in zip(BROW_UPPER, BROW_LOWER, strict=True):
        bar = np.zeros((len(upper), len(canonical)))  # mean of each pair of edge points
        for i, (u, lo) in enumerate(zip(upper, lower, strict=True)):
            bar[i, [u, lo]] = 0.5
        offset = (canonical[:, None] - (bar @ canonical)[None])[..., :2]
        distance = np.linalg.norm(offset, axis=2)
        share = np.exp(-0.5 * (distance / ALONG) ** 2) + 1e-12
        share /= share.sum(axis=1, keepdims=True)
        half = np.linalg.norm(canonical[list(upper)] - canonical[list(lower)], axis=1).mean() / 2
        outside = np.maximum(0.0, distance.min(axis=1) - half)
        stiffness = RIGIDITY * np.exp(-0.5 * (outside / ACROSS) ** 2)
        stiffness[stiffness < NEGLIGIBLE] = 0
        operator += stiffness[:, None] * (share @ bar - np.eye(len(canonical)))
    return operator
