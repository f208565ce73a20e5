"""Keypoints as expectations over maps, their Gaussian maps, and the coordinates both live in.

Convention: coordinates run from −1 to 1 between the *centres* of the first and last sample of an axis, last axis x, y
(, z). The published networks then sample with ``align_corners=False``, for which this grid is not the identity;
weights were trained with that mismatch, so it is kept.
"""

from __future__ import annotations

import torch
from torch import Tensor

TEMPERATURE = 0.1
VARIANCE = 0.01


def axis(length: int, like: Tensor) -> Tensor:
    """(length,) positions −1..1 with the device and dtype of ``like``."""
    return torch.arange(length, device=like.device, dtype=like.dtype) * (2.0 / (length - 1)) - 1.0


def coordinate_grid(shape: torch.Size | tuple[int, ...], like: Tensor) -> Tensor:
    """(*shape, dimensions): the coordinates of every sample of a map of ``shape`` ([D,] H, W)."""
    axes = torch.meshgrid(*(axis(length, like) for length in shape), indexing="ij")
    return torch.stack(axes[::-1], dim=-1)


def heat_maps(logits: Tensor) -> Tensor:
    """(B, K, …) → softmax over all positions of logits / 0.1, float32."""
    return torch.softmax(logits.float().flatten(2) / TEMPERATURE, dim=2).view(logits.shape)


def expected_position(heat: Tensor) -> Tensor:
    """(B, K, [D,] H, W) maps that sum to 1 → (B, K, dimensions) keypoints.

    Computed axis by axis: the marginals of the maps against the axes' positions.
    """
    dimensions = heat.dim() - 2
    positions = []
    for number in reversed(range(dimensions)):
        others = [2 + other for other in range(dimensions) if other != number]
        marginal = heat.sum(dim=others)
        positions.append(marginal @ axis(marginal.shape[2], heat))
    return torch.stack(positions, dim=2)


def gaussian_maps(points: Tensor, shape: torch.Size | tuple[int, ...]) -> Tensor:
    """(B, K, dimensions) → (B, K, *shape): exp(−|position − point|² / (2 · 0.01)), as a product of one-axis factors."""
    maps: Tensor | None = None
    dimensions = len(shape)
    for number, length in enumerate(shape):
        offset = axis(length, points) - points[..., dimensions - 1 - number, None]
        factor = torch.exp(offset.square() * (-0.5 / VARIANCE))
        factor = factor.view(*points.shape[:2], *(length if n == number else 1 for n in range(dimensions)))
        maps = factor if maps is None else maps * factor
    assert maps is not None
    return maps
