"""A quarter of a picture without aliasing."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_SIGMA = 1.5
_TAPS = 13


def gaussian_kernel(channels: int) -> Tensor:
    """(channels, 1, 13, 13) float32: a Gaussian of σ 1.5 pixels that sums to 1, per channel."""
    offsets = torch.arange(_TAPS, dtype=torch.float32) - (_TAPS - 1) / 2
    line = torch.exp(-offsets.square() / (2 * _SIGMA**2))
    kernel = torch.outer(line, line)
    return (kernel / kernel.sum()).expand(channels, 1, _TAPS, _TAPS).contiguous()


class Quarter(nn.Module):
    """(B, channels, H, W) → (B, channels, H/4, W/4): blurred (zeros beyond the border), every fourth sample kept."""

    weight: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        # As an expression of a plain tensor the kernel is made on the device of the context, "meta" included.
        self.register_buffer("weight", gaussian_kernel(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, stride=4, padding=_TAPS // 2, groups=len(self.weight))
