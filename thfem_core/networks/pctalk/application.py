"""Putting PC-Talk's deformations on a face, and strengthening or weakening articulations."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ..liveportrait.regions import LIP_ROWS

OBSERVATION = 1e-6  # variance with which its motion is smoothed
# Directions of articulation: lip keypoint and axis → amount.
ARTICULATIONS: dict[str, dict[tuple[int, int], float]] = {
    "pursing": {(14, 1): 0.001, (17, 2): -0.0005},
    "widening": {(20, 2): -0.001, (20, 1): -0.001, (14, 1): -0.001},
    "opening": {(19, 1): 0.001, (19, 2): 0.0001, (17, 1): -0.0001},
}


def expression_offset(deformation: Tensor, scale: Tensor) -> Tensor:
    """What deformations (N, K, 3) are in the expression of faces of ``scale`` (N, 1): (N, K, 3)."""
    return deformation / scale[..., None]


def articulated(lips: Tensor, factors: Mapping[str, float]) -> Tensor:
    """Strengthen or weaken movements of lips.

    Args:
        lips: (N, 6, 3) deformations.
        factors: By name of :data:`ARTICULATIONS`; 1 leaves it as it is.

    Returns:
        (N, 6, 3).
    """
    for name, factor in factors.items():
        direction = torch.zeros(len(LIP_ROWS), 3, dtype=lips.dtype, device=lips.device)
        for (row, axis), amount in ARTICULATIONS[name].items():
            direction[LIP_ROWS.index(row), axis] = amount
        share = (lips * direction).sum(dim=(1, 2)) / direction.square().sum()
        lips = lips + (factor - 1) * share[:, None, None] * direction
    return lips


def with_lips(expression: Tensor, scale: Tensor, lips: Tensor) -> Tensor:
    """Expressions (N, 21, 3) with the lip keypoints where deformations (N, 6, 3) put them on faces of ``scale``."""
    result = expression.clone()
    result[:, LIP_ROWS] = expression_offset(lips, scale)
    return result
