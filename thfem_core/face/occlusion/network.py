"""The occlusion network: a small U-Net from a face picture to what covers the face in it."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PIXELS = 128  # side of the picture it sees
STRIDE = 2  # of its answer
WIDTHS = (32, 64, 96)  # channels at strides 4, 8 and 16


def _convolution(channels: int, out: int, *, size: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(channels, out, size, stride, (size - 1) // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU(inplace=True))


class _Level(nn.Module):
    """One way down to half the size: a strided convolution, a learned map since faces lie in one place, residuals."""

    def __init__(self, channels: int, out: int, *, side: int, depth: int) -> None:
        super().__init__()
        self.down = _convolution(channels, out, stride=2)
        self.place = nn.Parameter(torch.zeros(out, side, side))
        self.residual = nn.ModuleList(_convolution(out, out) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x) + self.place
        for layer in self.residual:
            x = x + layer(x)
        return x


class _Merge(nn.Module):
    """One way up: coarse features, doubled in size, are added to finer ones."""

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(coarse, fine, 1)
        self.mix = _convolution(fine, fine)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        up = F.interpolate(self.narrow(coarse), scale_factor=2.0, mode="bilinear", align_corners=False)
        return cast(Tensor, self.mix(up + fine))


class OcclusionNet(nn.Module):
    """U-Net with additive skips that starts at a quarter of the size."""

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = WIDTHS
        self.stem = _convolution(3, fine, size=6, stride=4)
        self.middle = _Level(fine, middle, side=PIXELS // 8, depth=1)
        self.coarse = _Level(middle, coarse, side=PIXELS // 16, depth=2)
        self.context = nn.Linear(coarse, coarse)
        self.merges = nn.ModuleList([_Merge(coarse, middle), _Merge(middle, fine)])
        self.head = nn.Conv2d(fine, 4, 3, padding=1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Tell what covers faces.

        Args:
            pictures: (N, 3, 128, 128) in 0..1, crops as of :func:`.crop.occlusion_crop`.

        Returns:
            (N, 1, 64, 64) log odds that something in front of the face is seen.
        """
        fine = self.stem(pictures - 0.5)
        middle = self.middle(fine)
        x = self.coarse(middle)
        x = x + self.context(x.mean(dim=(2, 3)))[..., None, None]
        for merge, skip in zip(self.merges, (middle, fine), strict=True):
            x = merge(x, skip)
        return F.pixel_shuffle(self.head(x), 2)
