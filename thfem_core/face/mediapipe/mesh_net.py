"""The face mesh with attention: 468 points of a face crop, refined around lips and eyes, and two irises.

Source: the network of ``face_landmark_with_attention.tflite`` (MediaPipe 0.10.21, Apache-2.0); architecture after
Grishchenko et al., "Attention Mesh: High-fidelity Face Mesh Prediction in Real-time", 2020.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from .blocks import BlazeBlock, GroupedPointwise, Pointwise, SameConv2d, WholeMap
from .region_refinement import IRIS_POINTS, IRISES, REGION_POINTS, REGIONS, RegionRefinement

INPUT_SIDE = 192
MESH_POINTS = 468

# The five contour networks and the region whose features each reads.
_HEADS = {
    "lips": "lips",
    "left_eye": "left_eye",
    "left_iris": "left_eye",
    "right_eye": "right_eye",
    "right_iris": "right_eye",
}
_CONTOUR_POINTS = REGION_POINTS | dict.fromkeys(IRISES, IRIS_POINTS)


def _blocks(widths: tuple[int, ...], *, halve_at: tuple[int, ...], groups: int = 1) -> nn.Sequential:
    """BlazeBlocks between consecutive ``widths``; those whose number is in ``halve_at`` halve the resolution."""
    return nn.Sequential(
        *(
            BlazeBlock(a, b, nn.PReLU, stride=2 if number in halve_at else 1, groups=groups)
            for number, (a, b) in enumerate(pairwise(widths))
        )
    )


class AttentionMesh(nn.Module):
    """(B, 3, 192, 192) in 0..1 → landmarks (B, 478, 3) in input pixels, presence (B,) before the sigmoid.

    The three regions have networks of the same shape: they run side by side as grouped convolutions. These are tiny:
    on a CPU, :meth:`refine` takes as long as :meth:`coarse` for one face, a third per face for a batch of 16.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(SameConv2d(3, 16, 3, stride=2), nn.PReLU(16))
        self.shallow = _blocks((16, 16, 16, 32), halve_at=(2,))
        self.deep = _blocks(
            (32, 32, 32, 64, 64, 64, 128, 128, 128, 128, 128, 128, 128, 128, 128), halve_at=(2, 5, 8, 11)
        )
        self.neck = nn.Sequential(Pointwise(128, 32), nn.PReLU(32), BlazeBlock(32, 32, nn.PReLU))
        self.mesh = WholeMap(32, MESH_POINTS * 3, 3)
        self.presence = WholeMap(32, 1, 3)

        regions, heads = len(REGIONS), len(_HEADS)
        self.regions = RegionRefinement()
        self.region_trunk = _blocks((32, 32, 32, 64, 64, 64, 128), halve_at=(2, 5), groups=regions)
        self.contour_neck = nn.Sequential(
            _blocks((128, 128, 128, 128, 128, 128), halve_at=(2,), groups=heads),
            GroupedPointwise(128, 32, heads),
            nn.PReLU(heads * 32),
            BlazeBlock(32, 32, nn.PReLU, groups=heads),
        )
        self.contours = nn.ModuleDict({name: WholeMap(32, 2 * _CONTOUR_POINTS[name], 2) for name in _HEADS})

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        mesh, presence, features = self.coarse(images)
        return self.refine(mesh, features), presence

    def coarse(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Fit the mesh, lips and eyes less exactly.

        Args:
            images: (B, 3, 192, 192) in 0..1.

        Returns:
            Mesh (B, 468, 3) in input pixels, presence (B,) before the sigmoid, and the features (B, 32, 48, 48) that
            :meth:`refine` looks at.
        """
        features = self.shallow(self.stem(images))
        deep = self.neck(self.deep(features))
        return self.mesh(deep).reshape(-1, MESH_POINTS, 3), self.presence(deep).reshape(-1), features

    def refine(self, mesh: Tensor, features: Tensor) -> Tensor:
        """Look at lips and eyes again, and find the irises.

        Args:
            mesh: (B, 468, 3) of :meth:`coarse`.
            features: (B, 32, 48, 48) of :meth:`coarse`.

        Returns:
            Landmarks (B, 478, 3) in input pixels.
        """
        placed = self.regions.place(mesh)
        trunk = self.region_trunk(self.regions.crop(features, placed, INPUT_SIDE)).chunk(len(REGIONS), dim=1)
        shared = torch.cat([trunk[REGIONS.index(region)] for region in _HEADS.values()], dim=1)
        necks = self.contour_neck(shared).chunk(len(_HEADS), dim=1)
        contours = {
            name: layer(neck).reshape(mesh.shape[0], -1, 2)
            for (name, layer), neck in zip(self.contours.items(), necks, strict=True)
        }
        return self.regions.merge(mesh, contours, placed)
