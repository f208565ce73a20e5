"""Which triangle of a mesh each pixel shows, in plain torch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_TESTS = 2_000_000  # pixels tested against triangles in one step


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Raster:
    """What each pixel of a square picture shows.

    face: Triangle (S, S) int64, -1 where none.
    weights: Barycentric weights in it (S, S, 3), 0 where none.
    """

    face: Tensor
    weights: Tensor

    def interpolate(self, values: Tensor) -> Tensor:
        """Interpolate values at triangle corners (T, 3, C) to pixels (S, S, C), 0 where no triangle is."""
        shown = values[self.face.clamp(min=0)]
        return (shown * self.weights[..., None]).sum(dim=2)


def rasterize(vertices: Tensor, faces: Tensor, side: int) -> Raster:
    """Find the nearest triangle under every pixel centre.

    Both sides of a triangle are drawn. Weights are those of the flat picture (no perspective).

    Args:
        vertices: Points (V, 3): x to the right and y down in -1..1, smaller z nearer.
        faces: Triangles (T, 3).
        side: Pixels of the square picture.

    Returns:
        Triangle and weights of every pixel.
    """
    corners = vertices[faces]
    pixels = (corners[..., :2] + 1) * side / 2 - 0.5
    low = pixels.amin(dim=1).ceil().clamp(min=0).long()
    high = pixels.amax(dim=1).floor().clamp(max=side - 1).long()
    extent = (high - low + 1).clamp(min=0)
    counts = extent[:, 0] * extent[:, 1]
    depth = vertices.new_full((side * side,), torch.inf)
    face = torch.full((side * side,), -1, dtype=torch.int64, device=vertices.device)
    weights = vertices.new_zeros(side * side, 3)
    covered = torch.nonzero(counts)[:, 0]
    groups = (counts[covered].cumsum(0) // _TESTS).cpu()
    for group in groups.unique():
        chosen = covered[groups.to(covered.device) == group.to(covered.device)]
        owner = chosen.repeat_interleave(counts[chosen])
        starts = counts[chosen].cumsum(0) - counts[chosen]
        number = torch.arange(len(owner), device=owner.device) - starts.repeat_interleave(counts[chosen])
        column = low[owner, 0] + number % extent[owner, 0]
        row = low[owner, 1] + number // extent[owner, 0]
        bary = _barycentric(corners[owner, :, :2], (2 * torch.stack([column, row], dim=1) + 1) / side - 1)
        inside = (bary > 0).all(dim=1)
        owner, bary, place = owner[inside], bary[inside], (row * side + column)[inside]
        z = (bary * corners[owner, :, 2]).sum(dim=1)
        depth.scatter_reduce_(0, place, z, reduce="amin")
        nearest = z == depth[place]
        face[place[nearest]] = owner[nearest]
        weights[place[nearest]] = bary[nearest]
    return Raster(face=face.view(side, side), weights=weights.view(side, side, 3))


def _barycentric(triangles: Tensor, points: Tensor) -> Tensor:
    """Weights (N, 3) of points (N, 2) in triangles (N, 3, 2); infinite where a triangle is a line."""

    def area(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])

    a, b, c = triangles.unbind(dim=1)
    parts = torch.stack([area(points, b, c), area(a, points, c), area(a, b, points)], dim=1)
    return parts / area(a, b, c)[:, None]
