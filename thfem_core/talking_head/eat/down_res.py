"""The residual pyramid that turns 64 × 64 maps into one token."""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn


class _NormConv(nn.Module):
    """conv(act(norm x)); keys ``layers.norm``, ``layers.conv``."""

    def __init__(self, in_channels: int, out_channels: int, *, kernel: int = 3, active: bool = True) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(
            {
                "norm": nn.BatchNorm2d(in_channels),
                "conv": nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2),
            }
        )
        self._active = active

    def forward(self, x: Tensor) -> Tensor:
        y = self.layers["norm"](x)
        return self.layers["conv"](F.leaky_relu(y, 0.2) if self._active else y)


class DownRes(nn.Module):
    """Two convolutions and a shortcut, their sum halved in size; nothing after the sum."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        middle = min(in_channels, out_channels)
        self.conv_block_0 = _NormConv(in_channels, middle)
        self.conv_block_1 = _NormConv(middle, out_channels)
        self._widens = in_channels != out_channels
        if self._widens:
            self.conv_block_s = _NormConv(in_channels, out_channels, kernel=1, active=False)

    def forward(self, x: Tensor) -> Tensor:
        main = F.avg_pool2d(self.conv_block_1(self.conv_block_0(x)), 2)
        # A 1×1 convolution and a mean commute: a quarter of the work.
        small = F.avg_pool2d(x, 2)
        return main + (self.conv_block_s(small) if self._widens else small)


class TokenPyramid(nn.Sequential):
    """Shrinks maps (N, widths[0], 64, 64) to tokens (N, widths[-1]): five :class:`DownRes`, then a mean."""

    def __init__(self, *widths: int) -> None:
        blocks = [DownRes(a, b) for a, b in pairwise(widths)]
        super().__init__(*blocks, nn.AvgPool2d(2))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).flatten(1)
