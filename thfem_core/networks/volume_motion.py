"""Dense motion of an appearance volume from sparse 3-D keypoints (Wang et al., "One-shot free-view neural
talking-head synthesis", CVPR 2021), as EAT and LivePortrait use it."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import Folds
from .hourglass import Hourglass
from .keypoints import coordinate_grid, gaussian_maps

_COMPRESSED = 4


class Motion(NamedTuple):
    """How a volume moves, for N frames; D, H, W are the volume's depth, height and width.

    deformation: (N, D, H, W, 3) where each point is sampled, x, y, z in −1..1.
    occlusion: (N, 1, H, W) in 0..1, 1 where the source shows what is drawn.
    mask: (N, motions, D, H, W), the share of each motion, background first.
    """

    deformation: Tensor
    occlusion: Tensor
    mask: Tensor


class DenseMotion(nn.Module):
    """Keypoints of driving and source, and features of the source → :class:`Motion`."""

    folds: ClassVar[Folds] = (("compress", "norm"),)

    def __init__(self, *, keypoints: int, channels: int, depth: int, base: int = 32, levels: int = 5) -> None:
        """Build the network.

        Args:
            keypoints: Number of 3-D keypoints.
            channels: Channels of the volume.
            depth: Depth of the volume.
            base: Width of the hourglass at full resolution.
            levels: Halvings of the hourglass; the volume's sides are divisible by 2**levels.
        """
        super().__init__()
        self._motions = keypoints + 1
        self.hourglass = Hourglass(self._motions * (1 + _COMPRESSED), base=base, dimensions=3, levels=levels)
        width = self.hourglass.out_channels
        self.mask: nn.Module = nn.Conv3d(width, self._motions, 7, padding=3)
        self.compress = nn.Conv3d(channels, _COMPRESSED, 1)
        self.norm = nn.BatchNorm3d(_COMPRESSED)
        self.occlusion = nn.Conv2d(width * depth, 1, 7, padding=3)

    def compressed(self, volume: Tensor) -> Tensor:
        """(S, channels, D, H, W) → (S, 4, D, H, W), what :meth:`forward` reads of a source."""
        return torch.relu(self.norm(self.compress(volume)))

    def forward(self, compressed: Tensor, driving: Tensor, source: Tensor) -> Motion:
        """Spread the keypoints' motion over the volume.

        Args:
            compressed: (N, 4, D, H, W); may be an ``expand`` of one source's.
            driving: (N, keypoints, 3) keypoints of the frames to draw, −1..1.
            source: (N or 1, keypoints, 3) keypoints of the source.

        Returns:
            The motion, in float32.
        """
        shape = compressed.shape[2:]
        driving, source = driving.float(), source.float()
        grid = coordinate_grid(shape, driving)
        moves = F.pad(source - driving, (0, 0, 1, 0))  # the background stays
        # All motions in one call, stacked along depth: nothing of the features is repeated.
        places = grid + moves[:, :, None, None, None]
        sampled = F.grid_sample(compressed.float(), places.flatten(1, 2), align_corners=False)
        sampled = sampled.unflatten(2, (self._motions, -1)).transpose(1, 2)
        heat = gaussian_maps(driving, shape) - gaussian_maps(source.expand_as(driving), shape)
        heat = F.pad(heat, (0,) * 6 + (1, 0))[:, :, None]
        dtype = compressed.dtype
        features = self.hourglass(torch.cat([heat, sampled], dim=2).flatten(1, 2).to(dtype))
        mask = torch.softmax(self.mask(features).float(), dim=1)
        # The shares sum to 1, so the common grid is added once.
        deformation = grid + torch.einsum("nldhw,nlc->ndhwc", mask, moves)
        occlusion = torch.sigmoid(self.occlusion(features.flatten(1, 2)).float())
        return Motion(deformation=deformation, occlusion=occlusion, mask=mask)
