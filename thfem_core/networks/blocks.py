"""Convolution blocks of the first-order-model family (Siarohin et al., NeurIPS 2019), in two or three dimensions.

Attribute names are those of the published checkpoints, so that state dicts load strictly. ``folds`` names the pairs of
a convolution and the batch norm right behind it (:func:`.folding.fold`).
"""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CONVOLUTION: dict[int, type[nn.Module]] = {2: nn.Conv2d, 3: nn.Conv3d}
BATCH_NORM: dict[int, type[nn.Module]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
Folds = tuple[tuple[str, str], ...]


class ConvNorm(nn.Module):
    """act(bn(conv x)), size kept. slope: of the leaky ReLU, 0 for a ReLU."""

    folds: ClassVar[Folds] = (("conv", "norm"),)

    def __init__(
        self, in_channels: int, out_channels: int, *, dimensions: int = 2, kernel: int = 3, slope: float = 0.0
    ) -> None:
        super().__init__()
        self.conv = CONVOLUTION[dimensions](in_channels, out_channels, kernel, padding=kernel // 2)
        self.norm = BATCH_NORM[dimensions](out_channels)
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.conv(x))
        return F.leaky_relu(y, self.slope, inplace=not self.training) if self.slope else torch.relu(y)


class DownBlock(ConvNorm):
    """:class:`ConvNorm`, then the mean of 2 × 2 pixels; depth is kept."""

    def __init__(self, in_channels: int, out_channels: int, *, dimensions: int = 2) -> None:
        super().__init__(in_channels, out_channels, dimensions=dimensions)
        self._pool = F.avg_pool2d if dimensions == 2 else F.avg_pool3d
        self._window = 2 if dimensions == 2 else (1, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self._pool(super().forward(x), self._window)


class UpBlock(ConvNorm):
    """:class:`ConvNorm` of the input enlarged twice by repeating pixels; depth is kept."""

    def __init__(self, in_channels: int, out_channels: int, *, dimensions: int = 2) -> None:
        super().__init__(in_channels, out_channels, dimensions=dimensions)
        self.enlarge: nn.Module = nn.Upsample(scale_factor=2 if dimensions == 2 else (1, 2, 2), mode="nearest")

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.enlarge(x))


class ResBlock(nn.Module):
    """x + conv2(relu(norm2(conv1(relu(norm1 x))))): pre-activation, nothing after the sum."""

    folds: ClassVar[Folds] = (("conv1", "norm2"),)

    def __init__(self, channels: int, *, dimensions: int = 2) -> None:
        super().__init__()
        convolution, norm = CONVOLUTION[dimensions], BATCH_NORM[dimensions]
        self.conv1 = convolution(channels, channels, 3, padding=1)
        self.conv2 = convolution(channels, channels, 3, padding=1)
        self.norm1 = norm(channels)
        self.norm2 = norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(torch.relu(self.norm1(x)))
        return x + self.conv2(torch.relu(self.norm2(y)))
