"""The folds and shades an expression brings, as a log brightness ratio on the face surface.

After Liu, Shan and Zhang, "Expressive expression mapping with ratio images" (SIGGRAPH 2001).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...face.mesh.surface import Surface, face_surface
from ...face.smoothstep import smoothstep
from ...weights.reading import embedded_tensors
from ..request import RegionStrengths

# The cylinder of the texture map, in face units and radians: axis depth, and the map's columns and rows (as
# fractions of its size) per radian and per unit of height. Eye line at row ROW_ORIGIN.
AXIS_DEPTH = 85.2
COLUMNS_PER_RADIAN = 96.6 / 256
ROWS_PER_UNIT = 1.232 / 256
ROW_ORIGIN = 82.9 / 256


def texture_coordinates(points: np.ndarray) -> np.ndarray:
    """(N, 2) map coordinates in 0..1 (column, row) of canonical points (N, 3)."""
    angle = np.arctan2(points[:, 0], AXIS_DEPTH - points[:, 2])
    return np.stack([0.5 + COLUMNS_PER_RADIAN * angle, ROW_ORIGIN + ROWS_PER_UNIT * points[:, 1]], axis=1)


def _bilinear(image: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """Sample image (S, S) at 0..1 coordinates (N, 2), clamped to its border."""
    size = image.shape[0]
    x, y = np.clip(coordinates * size - 0.5, 0, size - 1.001).T
    x0, y0 = x.astype(int), y.astype(int)
    fx, fy = x - x0, y - y0
    top = image[y0, x0] * (1 - fx) + image[y0, x0 + 1] * fx
    bottom = image[y0 + 1, x0] * (1 - fx) + image[y0 + 1, x0 + 1] * fx
    return top * (1 - fy) + bottom * fy


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class ExpressionRatio:
    """Mean brightness changes that emotions bring, measured on actors.

    emotions: Names of the E emotions.
    log_ratio: (E, S, S) float32 log brightness of an emotional over a neutral face, in the cylindrical texture map
        of :func:`texture_coordinates`.
    """

    emotions: tuple[str, ...]
    log_ratio: np.ndarray


@lru_cache(maxsize=1)
def load_ratio() -> ExpressionRatio:
    """Load the embedded brightness ratios (CC BY-NC 4.0).

    Raises:
        WeightsError: Their file is missing or damaged.
    """
    tensors, notes = embedded_tensors("expression_ratio.safetensors", maker="training/build_face_basis.py")
    return ExpressionRatio(emotions=tuple(notes["emotions"].split(",")), log_ratio=tensors["log_ratio"].numpy())


@lru_cache(maxsize=1)
def ratio_samples() -> tuple[tuple[str, ...], np.ndarray]:
    """The emotions, and their log ratio (E, N) on the surface samples; 0 off the skin."""
    surface: Surface = face_surface()
    ratio = load_ratio()
    coordinates = texture_coordinates(surface.canonical)
    values = np.stack([_bilinear(image, coordinates) for image in ratio.log_ratio])
    return ratio.emotions, (values * surface.skin).astype(np.float32)


@lru_cache(maxsize=1)
def region_shares() -> dict[str, np.ndarray]:
    """Region name → (N,) how much of a surface sample belongs to it; the shares of a sample sum to 1."""
    x, y, _ = face_surface().canonical.T
    brows = 1 - smoothstep(y, -16, -4)
    eyes = (1 - brows) * (1 - smoothstep(y, 12, 22))
    below = 1 - brows - eyes
    mouth = below * (1 - smoothstep(np.hypot(x / 45, (y - 80) / 38), 0.8, 1.2))
    shares = {"brows": brows, "eyes": eyes, "cheeks": below - mouth, "mouth": mouth}
    return {name: share.astype(np.float32) for name, share in shares.items()}


def log_ratio(mixture: Mapping[str, float], regions: RegionStrengths | None = None) -> np.ndarray:
    """(N,) log brightness ratio of a weighted mixture of emotions, each region at its strength; emotions without a
    map count as neutral."""
    emotions, values = ratio_samples()
    weights = np.array([mixture.get(name, 0.0) for name in emotions], np.float32)
    ratio = weights @ values
    if regions is not None:
        ratio *= sum(getattr(regions, name) * share for name, share in region_shares().items())
    return ratio
