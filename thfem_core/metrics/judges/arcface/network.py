"""IResNet-50, the face-recognition network whose features FAD compares (ArcFace, Deng et al., CVPR 2019).

Keys, widths and depths of insightface's ``arcface_torch`` r50: 475 entries, 43 590 848 parameters.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

DEPTHS, WIDTHS = (3, 4, 14, 3), (64, 64, 128, 256, 512)
FEATURES = 512


class IResNetBlock(nn.Module):
    """Normalisation before the first convolution, a PReLU between the two, none after the sum; the second strides."""

    def __init__(self, before: int, after: int, *, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(before)
        self.conv1 = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.bn2, self.prelu = nn.BatchNorm2d(after), nn.PReLU(after)
        self.conv2 = nn.Conv2d(after, after, 3, stride=stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(after)
        self.downsample = None
        if stride > 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip = x if self.downsample is None else self.downsample(x)
        x = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        return self.bn3(self.conv2(x)) + skip


class IResNet50(nn.Module):
    """(N, 3, 112, 112) RGB in −1..1 → (N, 512) features, not normalised (values reach tens on real faces)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 3, padding=1, bias=False)
        self.bn1, self.prelu = nn.BatchNorm2d(WIDTHS[0]), nn.PReLU(WIDTHS[0])
        for number, (depth, (before, after)) in enumerate(zip(DEPTHS, pairwise(WIDTHS), strict=True), start=1):
            blocks = [IResNetBlock(before, after, stride=2)]
            blocks += [IResNetBlock(after, after, stride=1) for _ in range(depth - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
        self.bn2 = nn.BatchNorm2d(WIDTHS[-1])
        self.fc = nn.Linear(WIDTHS[-1] * 7 * 7, FEATURES)
        self.features = nn.BatchNorm1d(FEATURES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.prelu(self.bn1(self.conv1(x)))
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
        return self.features(self.fc(self.bn2(x).flatten(1)))
