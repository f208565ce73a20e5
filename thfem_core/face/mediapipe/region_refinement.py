"""Attention: crops of the feature map around lips and eyes, placed by the coarse mesh, and the way back.

A region's square is written as an affine map (2, 3) from unit coordinates (-0.5..0.5 in both directions) to pixels
of the network's input, the centre of the top-left pixel at 0.5.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

REGIONS = ("lips", "left_eye", "right_eye")
REGION_POINTS = {"lips": 80, "left_eye": 71, "right_eye": 71}
IRISES = {"left_iris": "left_eye", "right_iris": "right_eye"}
IRIS_POINTS = 5

_CROP_SIDE = 16  # cells of the feature map's crop
_CROP_UNIT = 64  # side of the crop in the units the contour layers speak: a quarter of a cell
_MARGIN = 1.5
_EYELID_POINTS = 16  # the first points of an eye region lie on its lids


class RegionRefinement(nn.Module):
    """Where the regions lie in a mesh, and which of its points they replace.

    points: (3, 80) numbers of the landmarks of each region, short rows filled by repeating their first entry.
    axis: (3, 2) landmarks at the left and right end of each region; the line between them is its horizontal.
    """

    points: Tensor
    axis: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("points", torch.zeros(len(REGIONS), max(REGION_POINTS.values()), dtype=torch.int64))
        self.register_buffer("axis", torch.zeros(len(REGIONS), 2, dtype=torch.int64))

    def place(self, mesh: Tensor) -> Tensor:
        """Place the regions on a mesh (B, 468, 3), input pixels: affine maps (B, 3 regions, 2, 3)."""
        flat = mesh[..., :2]
        ends = flat[:, self.axis]
        horizontal = F.normalize(ends[:, :, 1] - ends[:, :, 0], dim=-1)
        vertical = torch.stack([-horizontal[..., 1], horizontal[..., 0]], dim=-1)
        upright = torch.stack([horizontal, vertical], dim=-2)
        low, high = torch.aminmax(upright @ flat[:, self.points].transpose(-1, -2), dim=-1)
        rotation = upright.transpose(-1, -2)
        centre = rotation @ ((low + high) / 2)[..., None]
        return torch.cat([rotation * ((high - low) * _MARGIN)[..., None, :], centre], dim=-1)

    def crop(self, features: Tensor, placed: Tensor, input_side: int) -> Tensor:
        """Crop features (B, C, h, w) bilinearly: (B, 3·C, 16, 16), the regions stacked in the channels."""
        steps = (torch.arange(_CROP_SIDE, device=features.device, dtype=features.dtype) + 0.5) / _CROP_SIDE - 0.5
        unit = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1).reshape(1, -1, 2)
        grid = torch.cat([to_input(placed[:, region], unit) for region in range(len(REGIONS))], dim=1)
        grid = (grid * (2.0 / input_side) - 1.0).unflatten(1, (-1, _CROP_SIDE))
        crops = F.grid_sample(features, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        return crops.unflatten(2, (len(REGIONS), _CROP_SIDE)).transpose(1, 2).flatten(1, 2)

    def merge(self, mesh: Tensor, contours: dict[str, Tensor], placed: Tensor) -> Tensor:
        """Put raw contours (B, points, 2) into a mesh (B, 468, 3): landmarks (B, 478, 3).

        Regions replace x and y; an iris takes the mean depth of the lids around it.
        """
        flat, depth = mesh[..., :2], mesh[..., 2:]
        irises = []
        for number, (region, count) in enumerate(REGION_POINTS.items()):
            refined = to_input(placed[:, number], contours[region] / _CROP_UNIT - 0.5)
            flat = flat.index_copy(1, self.points[number, :count], refined)
        for iris, region in IRISES.items():
            number = REGIONS.index(region)
            refined = to_input(placed[:, number], contours[iris] / _CROP_UNIT - 0.5)
            lids = mesh[:, self.points[number, :_EYELID_POINTS], 2:].mean(dim=1, keepdim=True)
            irises.append(torch.cat([refined, lids.expand(-1, IRIS_POINTS, -1)], dim=-1))
        return torch.cat([torch.cat([flat, depth], dim=-1), *irises], dim=1)


def to_input(placed: Tensor, unit: Tensor) -> Tensor:
    """Map unit coordinates (B or 1, N, 2) by affine maps (B, 2, 3) to pixels (B, N, 2)."""
    return unit @ placed[..., :2].transpose(-1, -2) + placed[..., 2].unsqueeze(-2)
