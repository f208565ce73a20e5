"""The condition pictures NED's renderer draws from: normalised coordinates, detailed shape, eyes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..aligned.similarity import SIDE
from .deca import INPUT_SIDE
from .flame import FlameModel, vertex_normals
from .rasterizer import Raster, rasterize

_VISIBLE = 0.15  # seen normals point towards the camera: their z is below this
_GREY, _LIGHT = 180 / 255, 1.7
_LIGHTS = ((-1, 1, 1), (1, 1, 1), (-1, -1, 1), (1, -1, 1), (0, 0, 1))
_UV_SIDE = 256
_UV_BORDER = (5, 2)  # rows and columns left out at every border of the uv map


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DetailMaps:
    """Fixed maps of DECA's details in uv space.

    mask: Where details act (256, 256) in 0..1.
    displacement: Displacement common to all faces (256, 256).
    """

    mask: Tensor
    displacement: Tensor

    def to(self, device: torch.device) -> DetailMaps:
        """The maps on a device."""
        return DetailMaps(mask=self.mask.to(device), displacement=self.displacement.to(device))


def condition_pictures(
    model: FlameModel,
    vertices: Tensor,
    seen: Tensor,
    *,
    detail: Tensor | None = None,
    maps: DetailMaps | None = None,
    side: int = INPUT_SIDE,
) -> tuple[Tensor, Tensor]:
    """Draw normalised mean face coordinates (NMFC) and shaded shape of one head.

    Args:
        model: The head model.
        vertices: Posed vertices (V, 3).
        seen: The same in the picture, see :func:`.flame.projected` (V, 3).
        detail: Displacement of the skin in uv space (S, S), see :class:`.deca.DetailDecoder`; None for a smooth head.
        maps: Fixed maps of the details, needed with ``detail``.
        side: Pixels of the square pictures.

    Returns:
        NMFC (side, side, 3) and shape (side, side, 3), both in 0..1.
    """
    raster = rasterize(seen, model.faces, side)
    facing = raster.interpolate(vertex_normals(seen[None], model.faces)[0][model.faces])[..., 2]
    visible = ((raster.face >= 0) & (facing < _VISIBLE)).to(seen.dtype)[..., None]
    low, high = model.template.amin(dim=0), model.template.amax(dim=0)
    nmfc = raster.interpolate(((model.template - low) / (high - low))[model.faces])
    normals = vertex_normals(vertices[None], model.faces)[0]
    if detail is None or maps is None:
        seen_normals = raster.interpolate(normals[model.faces])
    else:
        seen_normals = _detailed_normals(model, vertices, normals, raster, detail, maps)
    lights = F.normalize(torch.tensor(_LIGHTS, dtype=seen.dtype, device=seen.device), dim=1)
    shading = (seen_normals @ lights.T).clamp(0, 1).mean(dim=2, keepdim=True) * _LIGHT
    return nmfc * visible, (_GREY * shading * visible).expand(-1, -1, 3)


def uv_normals(model: FlameModel, vertices: Tensor, normals: Tensor, detail: Tensor, maps: DetailMaps) -> Tensor:
    """Normals of the displaced skin in uv space.

    Args:
        model: The head model.
        vertices: Posed vertices (V, 3).
        normals: Their normals (V, 3).
        detail: Displacement of the skin (S, S).
        maps: Fixed maps of the details (S, S).

    Returns:
        Normals (S, S, 3), 0 near the borders of the map.
    """
    side = len(detail)
    flat = torch.stack([2 * model.uv[:, 0] - 1, 1 - 2 * model.uv[:, 1], torch.zeros_like(model.uv[:, 0])], dim=1)
    raster = rasterize(flat, model.uv_faces, side)
    positions = raster.interpolate(vertices[model.faces])
    outward = raster.interpolate(normals[model.faces])
    skin = positions + (detail * maps.mask + maps.displacement)[..., None] * outward
    index = torch.arange(side * side, device=detail.device).view(side, side)
    rows, columns = _UV_BORDER
    inner = index[rows : side - rows, columns : side - columns]
    a, b, c, d = inner[:-1, :-1], inner[:-1, 1:], inner[1:, :-1], inner[1:, 1:]
    triangles = torch.stack([torch.stack([a, c, b], dim=-1), torch.stack([b, c, d], dim=-1)]).reshape(-1, 3)
    return vertex_normals(skin.view(1, -1, 3), triangles).view(side, side, 3)


def _detailed_normals(
    model: FlameModel, vertices: Tensor, normals: Tensor, raster: Raster, detail: Tensor, maps: DetailMaps
) -> Tensor:
    """Detail normals (S, S, 3) at what each pixel of the picture shows."""
    skin = uv_normals(model, vertices, normals, detail, maps).permute(2, 0, 1)[None]
    flipped = torch.stack([2 * model.uv[:, 0] - 1, 1 - 2 * model.uv[:, 1]], dim=1)
    places = raster.interpolate(flipped[model.uv_faces])
    sampled = F.grid_sample(skin, places[None], align_corners=False)[0].permute(1, 2, 0)
    return sampled * (raster.face >= 0)[..., None]


def eye_points(landmarks: Tensor, to_deca: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Carry the eyes of a source face over to an edited head.

    Args:
        landmarks: The edited head's 68 landmarks in DECA's picture, in -1..1 (68, 2).
        to_deca: Map (3, 3) from the face crop to DECA's picture.
        source: Twelve eye points and two pupils of the source in the crop (14, 2).

    Returns:
        The same fourteen points of the edited head in the crop (14, 2), whole pixels.
    """
    half = INPUT_SIDE / 2
    placed = half + half * landmarks[36:48].double().cpu().numpy()
    back = np.linalg.inv(to_deca)
    eyes = placed @ back[:2, :2].T + back[:2, 2]
    moved = [source[12 + eye] + (eyes[part] - source[part]).mean(axis=0) for eye, part in enumerate(_EYES)]
    return np.concatenate([eyes, moved]).astype(np.int64)


_EYES = (slice(0, 6), slice(6, 12))


def eye_picture(points: np.ndarray) -> np.ndarray:
    """Draw the irises as filled discs.

    Args:
        points: Twelve eye points (six per eye) and two pupils, aligned, in pixels (14, 2).

    Returns:
        RGB (256, 256, 3) uint8: red where an iris is, else black.
    """
    points = points.astype(np.int64)
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    for eye, part in enumerate(_EYES):
        lid, (x, y) = points[part], points[12 + eye]
        radius = int((np.linalg.norm(lid[1] - lid[4]) + np.linalg.norm(lid[2] - lid[5])) / 4)
        across, down = columns - x, rows - y
        near = (across >= -radius) & (across < radius) & (down >= -radius) & (down < radius)
        picture[near & (across**2 + down**2 < radius**2), 0] = 255
    return picture


def stacked_conditions(nmfc: np.ndarray, eyes: np.ndarray, shape: np.ndarray, mask: np.ndarray) -> Tensor:
    """Stack a frame's aligned pictures as the renderer reads them.

    Args:
        nmfc: NMFC picture (256, 256, 3) uint8.
        eyes: Eye picture (256, 256, 3) uint8.
        shape: Shape picture (256, 256, 3) uint8.
        mask: Face pixels (256, 256) bool.

    Returns:
        Conditions (10, 256, 256) float32 in 0..1.
    """
    pictures = np.concatenate([nmfc, eyes, shape], axis=2).astype(np.float32) / 255
    return torch.from_numpy(np.concatenate([pictures, mask[..., None].astype(np.float32)], axis=2)).permute(2, 0, 1)
