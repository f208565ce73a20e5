"""MobileFaceNet (Chen et al. 2018), a small face-recognition network: 128 numbers per face (foamliu, Apache-2.0)."""

from __future__ import annotations

import torch
from torch import nn

FEATURES = 128
# Of RGB 0..1, as in ImageNet.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class _Depthwise(nn.Module):
    """Depthwise 3×3 (or ``size``), then pointwise, each with its normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.relu6(self.bn1(self.depthwise(x)))
        return nn.functional.relu6(self.bn2(self.pointwise(x)))


class _Bottleneck(nn.Module):
    def __init__(self, before: int, after: int, *, stride: int, expand: int) -> None:
        super().__init__()
        hidden = before * expand
        self.conv = nn.Sequential(
            nn.Sequential(nn.Conv2d(before, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6()),
            nn.Sequential(
                nn.Conv2d(hidden, hidden, 3, stride=stride, padding=1, groups=hidden, bias=False),
                nn.BatchNorm2d(hidden),
                nn.ReLU6(),
            ),
            nn.Conv2d(hidden, after, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.residual = stride == 1 and before == after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x) if self.residual else self.conv(x)


class _GlobalDepthwise(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, groups=channels, bias=False)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.bn(self.depthwise(x))


class MobileFaceNet(nn.Module):
    """(N, 3, 112, 112) RGB, ImageNet-normalised → (N, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(3, 64, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU6())
        self.dw_conv = _Depthwise(64)
        stages = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))
        blocks, width = [], 64
        for expand, after, repeats, stride in stages:
            for i in range(repeats):
                blocks.append(_Bottleneck(width, after, stride=stride if i == 0 else 1, expand=expand))
                width = after
        self.features = nn.Sequential(*blocks)
        self.conv2 = nn.Sequential(nn.Conv2d(128, 512, 1, bias=False), nn.BatchNorm2d(512), nn.ReLU6())
        self.gdconv = _GlobalDepthwise(512)
        self.conv3, self.bn = nn.Conv2d(512, 128, 1), nn.BatchNorm1d(128)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv2(self.features(self.dw_conv(self.conv1(x))))
        return self.bn(self.conv3(self.gdconv(x)).flatten(1))
