"""Putting PC-Talk's deformations on a face: emotions by region, lips by articulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from ...errors import InputError
from ..liveportrait.motion_extractor import KEYPOINTS
from ..liveportrait.regions import EYE_ROWS, LIP_ROWS
from ..liveportrait.smoothing import smooth_sequence
from .motion import EMOTIONS

EmotionRegion = Literal["all", "lips", "eyes", "brows", "upper_face"]
_BROWS = (0, 1, 2)
REGION_ROWS: dict[EmotionRegion, tuple[int, ...]] = {
    "all": tuple(range(KEYPOINTS)),
    "lips": LIP_ROWS,
    "eyes": EYE_ROWS,
    "brows": _BROWS,
    "upper_face": (*_BROWS, *EYE_ROWS),
}
OBSERVATION = 1e-6  # variance with which its motion is smoothed
# Directions of articulation: lip keypoint and axis → amount.
ARTICULATIONS: dict[str, dict[tuple[int, int], float]] = {
    "pursing": {(14, 1): 0.001, (17, 2): -0.0005},
    "widening": {(20, 2): -0.001, (20, 1): -0.001, (14, 1): -0.001},
    "opening": {(19, 1): 0.001, (19, 2): 0.0001, (17, 1): -0.0001},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class EmotionPart:
    """One emotion on one region.

    emotion: One of PC-Talk's eight.
    intensity: 0.5 and below is restrained, 1 is full, negative is the opposite.
    region: Where it shows.
    """

    emotion: str
    intensity: float = 0.5
    region: EmotionRegion = "all"

    def __post_init__(self) -> None:
        if self.emotion not in EMOTIONS:
            raise InputError(f"PC-Talk has no emotion {self.emotion!r}; choose one of: {', '.join(EMOTIONS)}")
        if self.region not in get_args(EmotionRegion):
            raise InputError(f"region is {self.region!r}; choose one of: {', '.join(REGION_ROWS)}")


def with_emotions(
    expression: Tensor, scale: Tensor, pure: Mapping[str, Tensor], parts: Sequence[EmotionPart]
) -> Tensor:
    """Add emotions to expressions.

    Args:
        expression: (N, 21, 3) of the face.
        scale: (N, 1) of the face.
        pure: Deformations (N, 21, 3) of each emotion that ``parts`` name, neutral ones taken off.
        parts: What is added.

    Returns:
        (N, 21, 3).
    """
    result = expression.clone()
    for part in parts:
        if part.emotion != "neutral" and part.intensity:
            rows = list(REGION_ROWS[part.region])
            result[:, rows] += part.intensity * pure[part.emotion][:, rows] / scale[..., None]
    return result


def smoothed(deformations: Tensor) -> Tensor:
    """(N, …) smoothed over time as PC-Talk does; fewer than three frames are left alone."""
    if len(deformations) < 3:
        return deformations
    return torch.from_numpy(smooth_sequence(deformations.cpu().numpy(), OBSERVATION)).to(deformations)


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
    result[:, LIP_ROWS] = lips / scale[..., None]
    return result
