"""Hopenet (Ruiz et al., "Fine-grained head pose estimation without keypoints", CVPR workshops 2018): the frozen judge
that EAT's head-pose estimator was trained against. Drawing does not need it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...networks.checkpoint import build
from ...weights.reading import safe_load
from .head_pose import BINS, degrees, expected_bins

SIZE = 224
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, RGB


class HeadAngles(NamedTuple):
    """Logits of 66 bins of 3°, each (N, 66)."""

    yaw: Tensor
    pitch: Tensor
    roll: Tensor

    def degrees(self) -> Tensor:
        """(N, 3) yaw, pitch, roll: the expected bin times 3 − 99, by the network's own signs."""
        return degrees(expected_bins(*self))


class _Bottleneck(nn.Module):
    """ResNet's: 1×1, 3×3 (with the stride), 1×1 to four times the width, around a shortcut; ReLU after the sum."""

    def __init__(self, before: int, width: int, *, stride: int = 1) -> None:
        super().__init__()
        after = 4 * width
        self.conv1, self.bn1 = nn.Conv2d(before, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, after, 1, bias=False), nn.BatchNorm2d(after)
        self.downsample = nn.Sequential()
        if before != after:
            self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return torch.relu(self.bn3(self.conv3(y)) + self.downsample(x))


class Hopenet(nn.Module):
    """(N, 3, 224, 224) RGB, normalised as ImageNet's → :class:`HeadAngles`: a ResNet-50 with three heads."""

    unused = ("fc_finetune",)

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        before = 64
        for number, (width, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=1):
            stride = 1 if number == 1 else 2
            blocks = [_Bottleneck(before, width, stride=stride)]
            before = 4 * width
            setattr(
                self, f"layer{number}", nn.Sequential(*blocks, *(_Bottleneck(before, width) for _ in range(1, count)))
            )
        self.fc_yaw, self.fc_pitch, self.fc_roll = (nn.Linear(before, BINS) for _ in range(3))
        self.fc_finetune = nn.Linear(before + 3, 3)

    def forward(self, images: Tensor) -> HeadAngles:
        x = F.max_pool2d(torch.relu(self.bn1(self.conv1(images))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean(dim=(2, 3))
        return HeadAngles(yaw=self.fc_yaw(x), pitch=self.fc_pitch(x), roll=self.fc_roll(x))


def hopenet_input(images: Tensor) -> Tensor:
    """Faces (N, 3, H, W) RGB in 0..1, cropped loosely → what :class:`Hopenet` reads."""
    small = F.interpolate(images, size=(SIZE, SIZE), mode="bilinear", align_corners=False, antialias=True)
    mean, deviation = (images.new_tensor(values).view(3, 1, 1) for values in (_MEAN, _DEVIATION))
    return (small - mean) / deviation


def load_hopenet(path: Path) -> Hopenet:
    """From the user's file (a bare state dict), on the CPU, frozen. Raises WeightsError."""
    return build(Hopenet, safe_load(path), what=f"Hopenet in {path}")
