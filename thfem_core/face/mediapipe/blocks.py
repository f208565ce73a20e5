"""The building blocks that the detectors and the mesh network share, for inference only.

Batch norms are folded into the convolutions in the published weights, so a block is two convolutions and a skip.
All maps are (B, C, H, W) whose channels lie last in memory (``torch.channels_last``): that makes a 1×1 convolution
a plain matrix product, which on CPUs is several times faster than the general convolution.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Activation = Callable[[int], nn.Module]


def relu(channels: int) -> nn.Module:
    """ReLU, in the signature of :data:`Activation`."""
    return nn.ReLU(inplace=True)


class SameConv2d(nn.Conv2d):
    """Convolution padded as TensorFlow's SAME for even inputs: a stride of 2 puts the odd row and column of zeros
    at the bottom and the right."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        before = (kernel - stride) // 2
        super().__init__(
            in_channels, out_channels, kernel, stride=stride, groups=groups, padding=before if stride == 1 else 0
        )
        self._same = (before, kernel - stride - before) * 2 if stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if self._same is None else F.pad(x, self._same))


class Pointwise(nn.Linear):
    """1×1 convolution."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class WholeMap(nn.Linear):
    """Convolution whose kernel covers the whole map: (B, C, side, side) → (B, out)."""

    def __init__(self, in_channels: int, out_channels: int, side: int) -> None:
        super().__init__(in_channels * side * side, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(1))


class GroupedPointwise(nn.Module):
    """1×1 convolutions of equal shape side by side on stacked channels.

    weight: (groups, in, out). bias: (groups, 1, out).
    """

    def __init__(self, in_channels: int, out_channels: int, groups: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(groups, in_channels, out_channels))
        self.bias = nn.Parameter(torch.empty(groups, 1, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        batch, _, height, width = x.shape
        groups, in_channels, out_channels = self.weight.shape
        pixels = x.permute(0, 2, 3, 1).reshape(-1, groups, in_channels).transpose(0, 1)
        y = torch.baddbmm(self.bias, pixels, self.weight).transpose(0, 1)
        return y.reshape(batch, height, width, groups * out_channels).permute(0, 3, 1, 2)


class BlazeBlock(nn.Module):
    """Depthwise 3×3, then 1×1 convolution, added to the input; activation after the sum.

    Where the block halves the resolution the skip is max-pooled, where it widens the skip has zeros in the new
    channels. ``groups`` blocks of equal shape run side by side on stacked channels, each with its own weights.
    """

    def __init__(
        self, in_channels: int, out_channels: int, activation: Activation, *, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        wide = groups * in_channels
        self.depthwise = SameConv2d(wide, wide, 3, stride=stride, groups=wide)
        if groups == 1:
            self.pointwise: nn.Module = Pointwise(in_channels, out_channels)
        else:
            self.pointwise = GroupedPointwise(in_channels, out_channels, groups)
        self.activation = activation(groups * out_channels)
        self._stride = stride
        self._groups = groups
        self._new_channels = out_channels - in_channels

    def forward(self, x: Tensor) -> Tensor:
        y = self.pointwise(self.depthwise(x))
        if self._stride > 1:
            x = F.max_pool2d(x, self._stride)
        if self._new_channels:
            per_group = x.permute(0, 2, 3, 1).unflatten(3, (self._groups, -1))
            x = F.pad(per_group, (0, self._new_channels)).flatten(3).permute(0, 3, 1, 2)
        return self.activation(y.add_(x))
