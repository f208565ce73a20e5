"""The U-Net by which NED tells face from hair and background (from FSGAN)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FACE = 1  # class of face pixels


def _conv(inputs: int, outputs: int, *, norm: bool) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
    return (
        nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())
        if norm
        else nn.Sequential(convolution, nn.ReLU())
    )


class _DoubleConv(nn.Module):
    def __init__(self, inputs: int, outputs: int, *, norm: bool) -> None:
        super().__init__()
        self.conv1 = _conv(inputs, outputs, norm=norm)
        self.conv2 = _conv(outputs, outputs, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv2(self.conv1(x))
        return y


class _Up(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = _DoubleConv(inputs, outputs, norm=False)
        self.conv1d = nn.Conv2d(inputs, outputs, 1)

    def forward(self, skip: Tensor, deep: Tensor) -> Tensor:
        enlarged = F.interpolate(deep, scale_factor=2, mode="bilinear", align_corners=True)
        merged: Tensor = self.conv(torch.cat([skip, self.conv1d(enlarged)], dim=1))
        return merged


class SegmentationUNet(nn.Module):
    """Classify pixels into background, face and hair."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _DoubleConv(3, 64, norm=True)
        self.conv2 = _DoubleConv(64, 128, norm=True)
        self.conv3 = _DoubleConv(128, 256, norm=True)
        self.conv4 = _DoubleConv(256, 512, norm=True)
        self.center = _DoubleConv(512, 1024, norm=True)
        self.up_concat4 = _Up(1024, 512)
        self.up_concat3 = _Up(512, 256)
        self.up_concat2 = _Up(256, 128)
        self.up_concat1 = _Up(128, 64)
        self.final = nn.Conv2d(64, 3, 1)

    def forward(self, image: Tensor) -> Tensor:
        """RGB (B, 3, H, W) in 0..1, sides divisible by 16 → logits of three classes (B, 3, H, W)."""
        skips = [self.conv1(image)]
        for block in (self.conv2, self.conv3, self.conv4):
            skips.append(block(F.max_pool2d(skips[-1], 2)))
        x = self.center(F.max_pool2d(skips[-1], 2))
        for up, skip in zip(
            (self.up_concat4, self.up_concat3, self.up_concat2, self.up_concat1), reversed(skips), strict=True
        ):
            x = up(skip, x)
        logits: Tensor = self.final(x)
        return logits
