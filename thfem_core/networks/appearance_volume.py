"""A face as a volume of features, and that volume moved by keypoints (Wang et al., CVPR 2021).

EAT's generator and LivePortrait's appearance and warping networks are made of this. Attribute names are those of the
published checkpoints.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple, cast

import torch.nn.functional as F
from torch import Tensor, nn

from .acceleration import enlarge_in_place, use_winograd
from .blocks import ConvNorm, DownBlock, ResBlock
from .volume_motion import DenseMotion, Motion
from .winograd import WinogradConv

CHANNELS, DEPTH, FEATURES = 32, 16, 256


class SourceAppearance(NamedTuple):
    """What the warping knows of source pictures; computed once for all frames drawn from them.

    volume: (S, 32, 16, 64, 64).
    compressed: (S, 4, 16, 64, 64), what dense motion reads of it.
    """

    volume: Tensor
    compressed: Tensor

    def rows(self, rows: slice | Tensor) -> SourceAppearance:
        """The sources ``rows``."""
        return SourceAppearance(*(field[rows] for field in self))


class VolumeEncoder(nn.Module):
    """Pictures (S, 3, H, W) RGB in 0..1 → volumes (S, channels, depth, H/4, W/4)."""

    def __init__(
        self, *, width: int = 64, channels: int = CHANNELS, depth: int = DEPTH, blocks: int = 6, **further: Any
    ) -> None:
        """Build the network.

        Args:
            width: Channels at full resolution.
            channels: Channels of the volume.
            depth: Depth of the volume.
            blocks: Number of 3-D residual blocks.
            further: Arguments of the next class where a network inherits from several.
        """
        super().__init__(**further)
        self._volume_shape = channels, depth
        self.first = ConvNorm(3, width)
        self.down_blocks = nn.ModuleList(DownBlock(a, b) for a, b in ((width, 2 * width), (2 * width, 4 * width)))
        self.second = nn.Conv2d(4 * width, channels * depth, 1)
        self.resblocks_3d = nn.Sequential(
            OrderedDict((f"3dr{i}", ResBlock(channels, dimensions=3)) for i in range(blocks))
        )

    def encode_volume(self, images: Tensor) -> Tensor:
        x = self.first(images)
        for block in self.down_blocks:
            x = block(x)
        return self.resblocks_3d(self.second(x).unflatten(1, self._volume_shape))

    def accelerate_encoder(self) -> None:
        """For inference in float32 on a CPU, after folding: fewer multiplications, the same volumes."""
        for part in (self.down_blocks, self.resblocks_3d):
            use_winograd(part)


class VolumeWarp(nn.Module):
    """The volume of a source moved to driving keypoints and flattened: (N, features, H, W)."""

    def __init__(
        self,
        *,
        keypoints: int,
        channels: int = CHANNELS,
        depth: int = DEPTH,
        features: int = FEATURES,
        base: int = 32,
        levels: int = 5,
    ) -> None:
        """Build the network; ``features`` are the channels of its result, the rest as in :class:`DenseMotion`."""
        super().__init__()
        self.dense_motion_network = DenseMotion(
            keypoints=keypoints, channels=channels, depth=depth, base=base, levels=levels
        )
        self.third = ConvNorm(channels * depth, features, slope=0.01)
        self.fourth = nn.Conv2d(features, features, 1)

    def appearance(self, volume: Tensor) -> SourceAppearance:
        return SourceAppearance(volume=volume, compressed=self.dense_motion_network.compressed(volume))

    def motion(self, appearance: SourceAppearance, source: Tensor, driving: Tensor) -> Motion:
        """Keypoints (S, K, 3) and (N, K, 3); S is N, or 1 for all."""
        compressed = appearance.compressed.expand(len(driving), -1, -1, -1, -1)
        return self.dense_motion_network(compressed, driving, source)

    def warp(self, appearance: SourceAppearance, motion: Motion) -> Tensor:
        """The appearance moved, flattened and hidden where it is occluded: (N, features, H, W)."""
        volume = appearance.volume.expand(len(motion.deformation), -1, -1, -1, -1)
        moved = F.grid_sample(volume.float(), motion.deformation, align_corners=False).to(volume.dtype)
        return self.fourth(self.third(moved.flatten(1, 2))) * motion.occlusion.to(volume.dtype)

    def forward(self, appearance: SourceAppearance, source: Tensor, driving: Tensor) -> Tensor:
        return self.warp(appearance, self.motion(appearance, source, driving))

    def accelerate_warp(self) -> None:
        """For inference in float32 on a CPU, after folding: fewer multiplications, the same features."""
        hourglass = self.dense_motion_network.hourglass
        enlarge_in_place(hourglass)
        # The two deepest maps, 8 × 8 and 4 × 4, are too small for tiles.
        for part in (*hourglass.encoder.down_blocks[:3], self.third):
            use_winograd(part)
        hourglass.decoder.conv = WinogradConv(cast(nn.Conv3d, hourglass.decoder.conv))
