"""EAT's generator: the source picture, warped by keypoints and drawn anew."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from ...networks.acceleration import enlarge_in_place, use_winograd
from ...networks.blocks import ConvNorm, DownBlock, ResBlock
from ...networks.winograd import WinogradConv
from .adapter import EmotionAdapter
from .dense_motion import CHANNELS, DEPTH, DenseMotion, Motion
from .spade_decoder import FEATURES, SpadeDecoder


class SourceAppearance(NamedTuple):
    """What the generator knows of source pictures under an emotion; computed once for all frames drawn from them.

    volume: (S, 32, 16, 64, 64). compressed: (S, 4, 16, 64, 64), what dense motion reads of it.
    """

    volume: Tensor
    compressed: Tensor

    def rows(self, rows: slice | Tensor) -> SourceAppearance:
        """The sources ``rows``."""
        return SourceAppearance(*(field[rows] for field in self))


class Generator(nn.Module):
    """Source pictures (S, 3, 256, 256) RGB in 0..1 → pictures (N, 3, 256, 256) in 0..1."""

    def __init__(self) -> None:
        super().__init__()
        self.dense_motion_network = DenseMotion()
        self.first = ConvNorm(3, 64)
        self.down_blocks = nn.ModuleList(DownBlock(a, b) for a, b in ((64, 128), (128, 256)))
        self.second = nn.Conv2d(256, CHANNELS * DEPTH, 1)
        self.resblocks_3d = nn.Sequential(OrderedDict((f"3dr{i}", ResBlock(CHANNELS, dimensions=3)) for i in range(6)))
        self.third = ConvNorm(CHANNELS * DEPTH, FEATURES, slope=0.01)
        self.fourth = nn.Conv2d(FEATURES, FEATURES, 1)
        self.decoder = SpadeDecoder()
        self.ea3d = EmotionAdapter(CHANNELS)

    def accelerate(self) -> None:
        """For inference in float32 on a CPU, after folding: fewer multiplications, the same pictures."""
        self.decoder.accelerate()
        hourglass = self.dense_motion_network.hourglass
        enlarge_in_place(hourglass)
        # The two deepest maps, 8 × 8 and 4 × 4, are too small for tiles.
        for part in (*hourglass.encoder.down_blocks[:3], self.down_blocks, self.resblocks_3d, self.third):
            use_winograd(part)
        hourglass.decoder.conv = WinogradConv(hourglass.decoder.conv)

    def encode(self, images: Tensor, emotion: Tensor) -> SourceAppearance:
        """Appearance of source pictures, adapted to ``emotion`` (S or 1, 128)."""
        x = self.first(images)
        for block in self.down_blocks:
            x = block(x)
        volume = self.resblocks_3d(self.second(x).unflatten(1, (CHANNELS, DEPTH)))
        volume = self.ea3d(volume, emotion)
        return SourceAppearance(volume=volume, compressed=self.dense_motion_network.compressed(volume))

    def motion(self, appearance: SourceAppearance, source: Tensor, driving: Tensor) -> Motion:
        """Keypoints (S, 15, 3) and (N, 15, 3); S is N, or 1 for all."""
        compressed = appearance.compressed.expand(len(driving), -1, -1, -1, -1)
        return self.dense_motion_network(compressed, driving, source)

    def warp(self, appearance: SourceAppearance, motion: Motion) -> Tensor:
        """The appearance moved, flattened and hidden where it is occluded: (N, 256, 64, 64)."""
        volume = appearance.volume.expand(len(motion.deformation), -1, -1, -1, -1)
        moved = F.grid_sample(volume.float(), motion.deformation, align_corners=False).to(volume.dtype)
        return self.fourth(self.third(moved.flatten(1, 2))) * motion.occlusion.to(volume.dtype)

    def forward(self, appearance: SourceAppearance, source: Tensor, driving: Tensor) -> Tensor:
        return self.decoder(self.warp(appearance, self.motion(appearance, source, driving)))
