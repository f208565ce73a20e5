"""LivePortrait's three small networks: stitching to the shoulders, and closing or opening of eyes and lips."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from .motion_extractor import KEYPOINTS

_POINTS = 3 * KEYPOINTS


class Perceptron(nn.Module):
    """Linear layers with ReLUs between them."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [nn.Linear(a, b), nn.ReLU()]
        self.mlp = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(x)


def stitching_network() -> Perceptron:
    """(N, 126) keypoints of source and driver → (N, 65): a move of each keypoint (63) and a shift (2) of all."""
    return Perceptron((2 * _POINTS, 128, 128, 64, _POINTS + 2))


def lip_network() -> Perceptron:
    """(N, 65) keypoints, lip opening now and as asked → (N, 63) moves of the keypoints."""
    return Perceptron((_POINTS + 2, 128, 128, 64, _POINTS))


def eye_network() -> Perceptron:
    """(N, 66) keypoints, opening of left and right eye now and as asked → (N, 63) moves of the keypoints."""
    return Perceptron((_POINTS + 3, 256, 256, 128, 128, 64, _POINTS))


def stitched(network: nn.Module, source: Tensor, driving: Tensor) -> Tensor:
    """Move driving keypoints so that neck and shoulders of what is drawn meet those of the source.

    Args:
        network: The stitching network.
        source: (N, 21, 3) keypoints of the source.
        driving: (N, 21, 3) keypoints to draw.

    Returns:
        (N, 21, 3).
    """
    predicted = network(torch.cat([source.expand_as(driving).flatten(1), driving.flatten(1)], dim=1))
    moves = predicted[:, :_POINTS].unflatten(1, (KEYPOINTS, 3))
    shift = torch.nn.functional.pad(predicted[:, _POINTS:], (0, 1))
    return driving + moves + shift[:, None]


def retargeted(network: nn.Module, source: Tensor, ratios: Tensor) -> Tensor:
    """How keypoints move for eyes or lips to open as far as asked.

    Args:
        network: The lip or the eye network.
        source: (N, 21, 3) keypoints of the source.
        ratios: (N, 2) for lips: opening now, opening asked for. (N, 3) for eyes: left now, right now, asked for.

    Returns:
        (N, 21, 3) offsets.
    """
    return network(torch.cat([source.flatten(1), ratios], dim=1)).unflatten(1, (KEYPOINTS, 3))
