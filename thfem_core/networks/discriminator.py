"""The patch discriminator that EAT and EAMM were trained against."""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import spectral_norm

_WIDTHS = (3, 64, 128, 256, 512)


class _DownBlock(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, *, norm: bool, pool: bool) -> None:
        super().__init__()
        self.conv = spectral_norm(nn.Conv2d(in_channels, out_channels, 4))
        if norm:
            self.norm = nn.InstanceNorm2d(out_channels, affine=True)
        self._norm, self._pool = norm, pool

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        if self._norm:
            y = self.norm(y)
        y = F.leaky_relu(y, 0.2)
        return F.avg_pool2d(y, 2) if self._pool else y


class _PatchDiscriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        pairs = list(pairwise(_WIDTHS))
        self.down_blocks = nn.ModuleList(
            _DownBlock(a, b, norm=number > 0, pool=number < len(pairs) - 1) for number, (a, b) in enumerate(pairs)
        )
        self.conv = spectral_norm(nn.Conv2d(_WIDTHS[-1], 1, 1))

    def forward(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        features = []
        for block in self.down_blocks:
            images = block(images)
            features.append(images)
        return features, self.conv(images)


class Discriminator(nn.Module):
    """Images (B, 3, 256, 256) in 0..1 → features of four scales, and (B, 1, 26, 26): how real each patch looks.

    Unbounded scores: hinge or least-squares losses apply to them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.discs = nn.ModuleDict({"1": _PatchDiscriminator()})

    def forward(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        return self.discs["1"](images)
