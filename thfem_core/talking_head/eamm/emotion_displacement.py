"""EAMM's emotion network: how an emotional picture displaces four of the audio keypoints. Off in the THFEM paper."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...networks.antialias import Quarter
from ...networks.blocks import Folds
from ...networks.hourglass import Hourglass
from .keypoint_detectors import FEATURES, KEYPOINTS, AffineKeypoints

EMOTIONS = 8
DISPLACED = 4
_OCTAVES = 10


class EmotionDisplacement(NamedTuple):
    """How emotional pictures displace keypoints.

    value: (B, 4, 2), added to keypoints by :func:`displace`.
    jacobian: (B, 4, 2, 2), added to their Jacobians.
    logits: (B, 8), of the picture's emotion.
    feature: (B, 512), of the picture.
    """

    value: Tensor
    jacobian: Tensor
    logits: Tensor
    feature: Tensor


class _BasicBlock(nn.Module):
    """He et al., CVPR 2016: two 3×3 convolutions around a shortcut, ReLU after the sum."""

    folds: ClassVar[Folds] = (("conv1", "bn1"), ("conv2", "bn2"))

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self._changes = stride != 1
        if self._changes:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (self.downsample(x) if self._changes else x))


class _Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last_fc = nn.Linear(512, EMOTIONS)


def _layers(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers)


def embedded(keypoints: AffineKeypoints) -> Tensor:
    """Embed keypoints as (B, 10 · 126): each one's 6 numbers, and sines and cosines of 1, 2, 4 … 512 times them."""
    numbers = torch.cat([keypoints.value, keypoints.jacobian.flatten(2)], dim=2)
    scaled = (
        numbers[:, :, None] * torch.exp2(torch.arange(_OCTAVES, device=numbers.device, dtype=numbers.dtype))[:, None]
    )
    waves = torch.stack([torch.sin(scaled), torch.cos(scaled)], dim=3)
    return torch.cat([numbers, waves.flatten(2)], dim=2).flatten(1)


class EmotionNetwork(nn.Module):
    """Pictures (B, 3, 256, 256) and the audio's keypoints → :class:`EmotionDisplacement`. Checkpoint: ``emo_detector``.

    Runs in float32: the embedding magnifies rounding 512 times.
    """

    unused: ClassVar[tuple[str, ...]] = ("fc", "fc_n", "final_4", "final_10")
    folds: ClassVar[Folds] = (("conv1", "bn1"),)

    def __init__(self) -> None:
        super().__init__()
        self.predictor = Hourglass(3, base=32)
        self.down = Quarter(3)
        self.conv1 = nn.Conv2d(FEATURES, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        for number, (a, b) in enumerate(((64, 64), (64, 128), (128, 256), (256, 512)), start=1):
            stage = nn.Sequential(_BasicBlock(a, b, stride=1 if a == b else 2), _BasicBlock(b, b))
            setattr(self, f"layer{number}", stage)
        self.fc = nn.Linear(512, EMOTIONS)
        self.fc_p = _layers(KEYPOINTS * 6 * (1 + 2 * _OCTAVES), 1024, 512)
        self.fc_n = _layers(KEYPOINTS * 6, 128, 512)
        self.fc_all = _layers(1024, 512, 256, 64)
        self.final = nn.Sequential(
            nn.Conv1d(1, 2, 4, 2, 1),
            nn.MaxPool1d(2),
            nn.ReLU(),
            nn.Conv1d(2, 4, 4, 2, 1),
            nn.ReLU(),
            nn.Conv1d(4, DISPLACED, 3),
        )
        self.final_4 = nn.Sequential(nn.Conv1d(4, 4, 3, padding=1), nn.Identity(), nn.Identity(), nn.Conv1d(4, 4, 3))
        self.final_10 = nn.Sequential(nn.Conv1d(4, 8, 3, padding=1), nn.Identity(), nn.Identity(), nn.Conv1d(8, 10, 3))
        self.classify = _Classifier()

    def feature(self, images: Tensor) -> Tensor:
        """(B, 512): does not depend on the keypoints."""
        x = F.max_pool2d(torch.relu(self.bn1(self.conv1(self.predictor(self.down(images))))), 3, 2, 1)
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
        return x.mean(dim=(2, 3))

    def forward(self, images: Tensor, keypoints: AffineKeypoints) -> EmotionDisplacement:
        feature = self.feature(images)
        code = self.fc_p(embedded(keypoints))
        moves = self.final(self.fc_all(torch.cat([feature, code], dim=1))[:, None])
        return EmotionDisplacement(
            value=moves[..., :2],
            jacobian=moves[..., 2:].unflatten(2, (2, 2)),
            logits=self.classify.last_fc(feature),
            feature=feature,
        )


# Keypoint, number of the displacement, its share. The fourth displacement is not used.
_DISPLACEMENTS = ((1, 0, 0.2), (4, 1, 1.0), (6, 2, 1.0))


def displace(keypoints: AffineKeypoints, emotion: AffineKeypoints) -> AffineKeypoints:
    """Audio keypoints of B frames, moved by displacements (B, 4, 2) and (B, 4, 2, 2)."""
    moved = []
    for points, moves in zip(keypoints, emotion, strict=True):
        points = points.clone()
        for point, number, share in _DISPLACEMENTS:
            points[:, point] += share * moves[:, number]
        moved.append(points)
    return AffineKeypoints(*moved)
