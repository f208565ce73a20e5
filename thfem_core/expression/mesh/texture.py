"""The folds and shades an expression brings, as a log brightness ratio on the face surface.

After Liu, Shan and Zhang, "Expressive expression mapping with ratio images" (SIGGRAPH 2001).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.ndimage import map_coordinates

from ...face.mesh.surface import face_surface
from ...face.smoothstep import smoothstep
from ...weights.reading import embedded_tensors, listed_names
from ..request import Emotion, RegionStrengths
from .plan import MotionPlan

# The cylinder of the texture map, in face units and radians: axis depth, and the map's columns and rows (as
# fractions of its size) per radian and per unit of height. Eye line at row ROW_ORIGIN.
AXIS_DEPTH = 85.2
COLUMNS_PER_RADIAN = 96.6 / 256
ROWS_PER_UNIT = 1.232 / 256
ROW_ORIGIN = 82.9 / 256


def texture_coordinates(points: np.ndarray) -> np.ndarray:
    """Unroll points onto the cylinder of the texture map.

    Args:
        points: (N, 3) on the canonical face, face units.

    Returns:
        (N, 2) column and row in the map as fractions of its size.
    """
    angle = np.arctan2(points[:, 0], AXIS_DEPTH - points[:, 2])
    return np.stack([0.5 + COLUMNS_PER_RADIAN * angle, ROW_ORIGIN + ROWS_PER_UNIT * points[:, 1]], axis=1)


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
    file, shapes = "expression_ratio.safetensors", {"log_ratio": ("E", "S", "S")}
    tensors, notes = embedded_tensors(file, maker="training/build_face_basis.py", shapes=shapes)
    log_ratio = tensors["log_ratio"].numpy()
    emotions = listed_names(notes, "emotions", count=len(log_ratio), what=file)
    return ExpressionRatio(emotions=emotions, log_ratio=log_ratio)


@lru_cache(maxsize=1)
def ratio_samples() -> tuple[tuple[str, ...], np.ndarray]:
    """Sample the ratios on the face surface.

    Returns:
        Names of the E emotions, and their log ratio (E, N) on the surface's samples; 0 off the skin.

    Raises:
        WeightsError: The file of the ratios is missing or damaged.
    """
    surface = face_surface()
    ratio = load_ratio()
    columns, rows = texture_coordinates(surface.canonical).T * ratio.log_ratio.shape[1] - 0.5
    values = np.stack([map_coordinates(image, (rows, columns), order=1, mode="nearest") for image in ratio.log_ratio])
    return ratio.emotions, (values * surface.skin).astype(np.float32)


@lru_cache(maxsize=1)
def region_shares() -> dict[str, np.ndarray]:
    """Say to which regions the samples of the face surface belong.

    Returns:
        Region name → (N,) share of each sample; the shares of a sample sum to 1.
    """
    x, y, _ = face_surface().canonical.T
    brows = 1 - smoothstep(y, -16, -4)
    eyes = (1 - brows) * (1 - smoothstep(y, 12, 22))
    below = 1 - brows - eyes
    mouth = below * (1 - smoothstep(np.hypot(x / 45, (y - 80) / 38), 0.8, 1.2))
    shares = {"brows": brows, "eyes": eyes, "cheeks": below - mouth, "mouth": mouth}
    return {name: share.astype(np.float32) for name, share in shares.items()}


def log_ratio(mixture: Mapping[Emotion, float], regions: RegionStrengths | None = None) -> np.ndarray:
    """Mix the brightness changes of emotions.

    Args:
        mixture: Emotion → weight; emotions without a map count as neutral.
        regions: Strength of each region, or None for 1 everywhere.

    Returns:
        (N,) log brightness ratio on the samples of the face surface.
    """
    emotions, values = ratio_samples()
    by_name = {str(name): weight for name, weight in mixture.items()}
    weights = np.array([by_name.get(name, 0.0) for name in emotions], np.float32)
    ratio = weights @ values
    if regions is not None:
        ratio *= sum(getattr(regions, name) * share for name, share in region_shares().items())
    return ratio


class MeanShading:
    """Shades a face as actors' faces are shaded on average (implements :class:`.fold_shading.Shading`)."""

    slopes = (1.0, 1.0, 1.0)

    def __init__(self, plan: MotionPlan, *, texture: float) -> None:
        """Work out what stays the same over the clip.

        Args:
            plan: How the face is moved.
            texture: Gain.
        """
        self._gain = np.float32(texture) * log_ratio(plan.shading, plan.regions)

    def log_gain(self, landmarks: np.ndarray, strength: float) -> np.ndarray:
        """See :meth:`.fold_shading.Shading.log_gain`."""
        return np.asarray(strength * self._gain, np.float32)
