"""Dense motion of the first-order model (Siarohin et al., NeurIPS 2019, Eqs. 3–8)."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...networks.antialias import Quarter
from ...networks.hourglass import Hourglass
from ...networks.keypoints import coordinate_grid, gaussian_maps
from .keypoint_detectors import KEYPOINTS, AffineKeypoints

MOTIONS = KEYPOINTS + 1


class Motion(NamedTuple):
    """How a source moves to N driving frames.

    deformation: (N, 64, 64, 2), where each point is sampled.
    occlusion: (N, 1, 64, 64), 1 where visible.
    mask: (N, 11, 64, 64), the share of each motion, background first.
    warped: (N, 11, 3, 64, 64), the source moved by each motion.
    """

    deformation: Tensor
    occlusion: Tensor
    mask: Tensor
    warped: Tensor


def sparse_motions(driving: AffineKeypoints, source: AffineKeypoints, grid: Tensor) -> Tensor:
    """Find where each motion samples the source.

    Args:
        driving: Keypoints of N frames.
        source: Keypoints of the source.
        grid: (H, W, 2), positions −1..1.

    Returns:
        (N, 11, H, W, 2); the first motion, of the background, is ``grid`` itself.
    """
    affine = source.jacobian.float() @ torch.linalg.inv(driving.jacobian.float())
    turned = torch.einsum("nkij,hwj->nkhwi", affine, grid)
    moved = torch.einsum("nkij,nkj->nki", affine, driving.value.float())
    motions = turned + (source.value.float() - moved)[:, :, None, None]
    return torch.cat([grid.expand(len(motions), 1, *grid.shape), motions], dim=1)


class DenseMotion(nn.Module):
    """Quarter pictures of the source (N, 3, 64, 64), may be expanded, and keypoints of both → :class:`Motion`."""

    def __init__(self) -> None:
        super().__init__()
        self.hourglass = Hourglass(MOTIONS * 4, base=64)
        self.mask = nn.Conv2d(self.hourglass.out_channels, MOTIONS, 7, padding=3)
        self.occlusion = nn.Conv2d(self.hourglass.out_channels, 1, 7, padding=3)
        self.down = Quarter(3)

    def forward(self, quarter: Tensor, driving: AffineKeypoints, source: AffineKeypoints) -> Motion:
        shape = quarter.shape[2:]
        points = driving.value.float()
        motions = sparse_motions(driving, source, coordinate_grid(shape, points))
        # All motions in one call, stacked along rows: the picture is not repeated.
        warped = F.grid_sample(quarter.float(), motions.flatten(1, 2), align_corners=False)
        warped = warped.unflatten(2, (MOTIONS, -1)).transpose(1, 2)
        heat = gaussian_maps(points, shape) - gaussian_maps(source.value.float().expand_as(points), shape)
        heat = F.pad(heat, (0, 0, 0, 0, 1, 0))[:, :, None]
        features = self.hourglass(torch.cat([heat, warped], dim=2).flatten(1, 2).to(quarter.dtype))
        mask = torch.softmax(self.mask(features).float(), dim=1)
        return Motion(
            deformation=torch.einsum("nlhw,nlhwc->nhwc", mask, motions),
            occlusion=torch.sigmoid(self.occlusion(features).float()),
            mask=mask,
            warped=warped,
        )
