"""The occlusion network: a small U-Net from a face picture to what covers the face in it."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PIXELS = 128  # side of the picture it sees
STRIDE = 2  # of its answer
WIDTHS = (32, 56, 88)  # channels at strides 4, 8 and 16


def _convolution(channels: int, out: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True))


class _Level(nn.Module):
    """One way down to half the size: a strided convolution, then residual ones."""

    def __init__(self, channels: int, out: int, *, depth: int) -> None:
        super().__init__()
        self.down = _convolution(channels, out, stride=2)
        self.residual = nn.ModuleList(_convolution(out, out) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
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
    """U-Net with additive skips that starts at a quarter of the size: pixels are folded into channels.

    Two coordinate channels join its first features, since faces lie in one place.
    """

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = WIDTHS
        self.stem = _convolution(3 * STRIDE**2 + 2, fine, stride=2)
        self.middle = _Level(fine, middle, depth=0)
        self.coarse = _Level(middle, coarse, depth=2)
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
        folded = F.pixel_unshuffle(4 * pictures - 2, STRIDE)
        line = torch.linspace(-1, 1, folded.shape[-1], device=folded.device, dtype=folded.dtype)
        place = torch.stack(torch.meshgrid(line, line, indexing="ij")).expand(folded.shape[0], -1, -1, -1)
        fine = self.stem(torch.cat([folded, place], dim=1))
        middle = self.middle(fine)
        x = self.coarse(middle)
        x = x + self.context(x.mean(dim=(2, 3)))[..., None, None]
        for merge, skip in zip(self.merges, (middle, fine), strict=True):
            x = merge(x, skip)
        return F.pixel_shuffle(self.head(x), 2)
