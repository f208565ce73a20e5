"""EAT's dense motion: how every point of the appearance volume moves, from sparse 3-D keypoints (Wang et al., 2021)."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...networks.blocks import Folds
from ...networks.hourglass import Hourglass
from ...networks.keypoints import coordinate_grid, gaussian_maps
from .keypoint_detector import KEYPOINTS

MOTIONS = KEYPOINTS + 1
CHANNELS, DEPTH = 32, 16
_COMPRESSED = 4


class Motion(NamedTuple):
    """deformation: (N, 16, 64, 64, 3) where each point is sampled. occlusion: (N, 1, 64, 64) in 0..1, 1 where visible.
    mask: (N, 16, 16, 64, 64), the share of each of the 16 motions, background first."""

    deformation: Tensor
    occlusion: Tensor
    mask: Tensor


class DenseMotion(nn.Module):
    """Keypoints (N, 15, 3) of driving and source, and :meth:`compressed` features of the source → :class:`Motion`."""

    folds: ClassVar[Folds] = (("compress", "norm"),)

    def __init__(self) -> None:
        super().__init__()
        self.hourglass = Hourglass(MOTIONS * (1 + _COMPRESSED), base=32, dimensions=3)
        width = self.hourglass.out_channels
        self.mask: nn.Module = nn.Conv3d(width, MOTIONS, 7, padding=3)
        self.compress = nn.Conv3d(CHANNELS, _COMPRESSED, 1)
        self.norm = nn.BatchNorm3d(_COMPRESSED)
        self.occlusion = nn.Conv2d(width * DEPTH, 1, 7, padding=3)

    def compressed(self, volume: Tensor) -> Tensor:
        """(S, 32, 16, 64, 64) → (S, 4, 16, 64, 64)."""
        return torch.relu(self.norm(self.compress(volume)))

    def forward(self, compressed: Tensor, driving: Tensor, source: Tensor) -> Motion:
        """compressed: (N, 4, 16, 64, 64), may be an ``expand`` of one source's."""
        shape = compressed.shape[2:]
        driving, source = driving.float(), source.float()
        grid = coordinate_grid(shape, driving)
        moves = F.pad(source - driving, (0, 0, 1, 0))  # the background stays
        # All motions in one call, stacked along depth: nothing of the features is repeated.
        places = grid + moves[:, :, None, None, None]
        sampled = F.grid_sample(compressed.float(), places.flatten(1, 2), align_corners=False)
        sampled = sampled.unflatten(2, (MOTIONS, -1)).transpose(1, 2)
        heat = gaussian_maps(driving, shape) - gaussian_maps(source.expand_as(driving), shape)
        heat = F.pad(heat, (0,) * 6 + (1, 0))[:, :, None]
        dtype = compressed.dtype
        features = self.hourglass(torch.cat([heat, sampled], dim=2).flatten(1, 2).to(dtype))
        mask = torch.softmax(self.mask(features).float(), dim=1)
        # The shares sum to 1, so the common grid is added once.
        deformation = grid + torch.einsum("nldhw,nlc->ndhwc", mask, moves)
        occlusion = torch.sigmoid(self.occlusion(features.flatten(1, 2)).float())
        return Motion(deformation=deformation, occlusion=occlusion, mask=mask)
