"""EAMM's generator: the first-order model's, a source picture warped by keypoints and completed where occluded."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...networks.blocks import ConvNorm, DownBlock, ResBlock, UpBlock
from .dense_motion import DenseMotion, Motion
from .keypoint_detectors import AffineKeypoints


class SourceAppearance(NamedTuple):
    """What the generator knows of source pictures: features (S, 256, 64, 64), quarter pictures (S, 3, 64, 64)."""

    features: Tensor
    quarter: Tensor


class Generator(nn.Module):
    """Source pictures (S, 3, 256, 256) RGB in 0..1 → pictures (N, 3, 256, 256) in 0..1; S is N, or 1 for all."""

    def __init__(self) -> None:
        super().__init__()
        self.dense_motion_network = DenseMotion()
        self.first = ConvNorm(3, 64, kernel=7)
        self.down_blocks = nn.ModuleList(DownBlock(a, b) for a, b in ((64, 128), (128, 256)))
        self.up_blocks = nn.ModuleList(UpBlock(a, b) for a, b in ((256, 128), (128, 64)))
        self.bottleneck = nn.Sequential(OrderedDict((f"r{i}", ResBlock(256)) for i in range(6)))
        self.final = nn.Conv2d(64, 3, 7, padding=3)

    def encode(self, images: Tensor) -> SourceAppearance:
        x = self.first(images)
        for block in self.down_blocks:
            x = block(x)
        return SourceAppearance(features=x, quarter=self.dense_motion_network.down(images))

    def motion(self, appearance: SourceAppearance, source: AffineKeypoints, driving: AffineKeypoints) -> Motion:
        """Keypoints of S sources and N drawn pictures."""
        quarter = appearance.quarter.expand(len(driving.value), -1, -1, -1)
        return self.dense_motion_network(quarter, driving, source)

    def draw(self, appearance: SourceAppearance, motion: Motion) -> Tensor:
        """The features moved, hidden where occluded, and decoded."""
        features = appearance.features.expand(len(motion.deformation), -1, -1, -1)
        moved = F.grid_sample(features.float(), motion.deformation, align_corners=False)
        x = self.bottleneck((moved * motion.occlusion).to(features.dtype))
        for block in self.up_blocks:
            x = block(x)
        return torch.sigmoid(self.final(x).float())

    def forward(self, appearance: SourceAppearance, source: AffineKeypoints, driving: AffineKeypoints) -> Tensor:
        return self.draw(appearance, self.motion(appearance, source, driving))
