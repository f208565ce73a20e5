"""ResNetFace-18, the face network of the group's FAD: 181 entries, 25 627 081 parameters.

The grey-picture ArcFace network of ronghuaiyang/arcface-pytorch (after Deng et al., CVPR 2019), without
squeeze-and-excitation; every PReLU has one slope, shared inside a block.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

SIZE, FEATURES = 128, 512


class _Block(nn.Module):
    """Pre-normalised residual block; the first convolution keeps the channels, the second has the stride."""

    def __init__(self, before: int, after: int, *, stride: int) -> None:
        super().__init__()
        self.bn0 = nn.BatchNorm2d(before)
        self.conv1 = nn.Conv2d(before, before, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(before)
        self.prelu = nn.PReLU()
        self.conv2 = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample: nn.Sequential | None = None
        if stride > 1:
            shortcut = nn.Conv2d(before, after, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        residual = self.bn2(self.conv2(self.prelu(self.bn1(self.conv1(self.bn0(x))))))
        out: Tensor = self.prelu(residual + (x if self.downsample is None else self.downsample(x)))
        return out


class ResNetFace18(nn.Module):
    """Grey faces (N, 1, 128, 128) in −1..1 → features (N, 512), not normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.prelu = nn.PReLU()
        before = 64
        for number, width in enumerate((64, 128, 256, 512), start=1):
            stride = 1 if number == 1 else 2
            stage = nn.Sequential(_Block(before, width, stride=stride), _Block(width, width, stride=1))
            setattr(self, f"layer{number}", stage)
            before = width
        self.bn4 = nn.BatchNorm2d(FEATURES)
        self.fc5 = nn.Linear(FEATURES * 8 * 8, FEATURES)
        self.bn5 = nn.BatchNorm1d(FEATURES)

    def forward(self, pictures: Tensor) -> Tensor:
        x = torch.max_pool2d(self.prelu(self.bn1(self.conv1(pictures))), 2)
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
        features: Tensor = self.bn5(self.fc5(self.bn4(x).flatten(1)))
        return features
