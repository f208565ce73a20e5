"""How each action unit folds the skin: changes of normals and hollows on the face surface, from ICT-FaceKit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...errors import WeightsError
from ...face.mesh.surface import face_surface
from ...weights.reading import Shapes, embedded_tensors, listed_names
from .action_units import ACTION_UNITS
from .texture import texture_coordinates

FURROW = " furrow"  # ends the name of a second entry of a unit, for its positive activations


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class FoldMaps:
    """Folds on the S samples of the face surface that lie on skin; x right, y down, z negative towards the camera.

    Concavity is the mean over neighbours within 5 and within 11 face units of their height above the tangent plane,
    divided by the radius: above 0 in hollows.

    samples: (S,) their numbers on the face surface.
    normal: (S, 3) float32 outward normal of the neutral face, unit length.
    concavity: (S, 2) float32 of the neutral face.
    skin: (S,) float32 0..1, how much of the shading a sample takes: little on brows, none at the outline.
    normal_change: (E, S, 3) float32 per unit of activation.
    concavity_change: (E, S, 2) float32 per unit of activation.
    units: (E,) index of each entry's action unit.
    furrows: (E,) bool: drawn furrows, which come with positive activations only.
    """

    samples: np.ndarray
    normal: np.ndarray
    concavity: np.ndarray
    skin: np.ndarray
    normal_change: np.ndarray
    concavity_change: np.ndarray
    units: np.ndarray
    furrows: np.ndarray


_FILE = "fold_maps.safetensors"
_SHAPES: Shapes = {
    "normal": ("S", "S", 3),
    "concavity": ("S", "S", 2),
    "skin": ("S", "S"),
    "normal_change": ("E", "S", "S", 2),
    "normal_scale": ("E",),
    "concavity_change": ("E", "S", "S", 2),
    "concavity_scale": ("E",),
}


@lru_cache(maxsize=1)
def load_fold_maps() -> FoldMaps:
    """Load the embedded maps (MIT) and sample them on the face surface.

    Raises:
        WeightsError: Their file is missing or damaged.
    """
    tensors, notes = embedded_tensors(_FILE, maker="training/build_fold_maps.py", shapes=_SHAPES)
    maps = {name: tensor.numpy() for name, tensor in tensors.items()}
    entries = listed_names(notes, "entries", count=len(maps["normal_scale"]), what=_FILE)
    if unknown := {name.removesuffix(FURROW) for name in entries} - set(ACTION_UNITS):
        raise WeightsError(f"{_FILE} is damaged (there is no action unit {min(unknown)}); install the package again")
    surface = face_surface()
    samples = np.flatnonzero(surface.skin)
    size = len(maps["skin"])
    place = np.clip(texture_coordinates(surface.canonical[samples]) * size - 0.5, 0, size - 1.001)
    column, row = place.astype(np.int64).T
    right, down = (place - np.floor(place)).astype(np.float32).T
    first = row * size + column

    def sampled(image: np.ndarray) -> np.ndarray:
        """(size, size, ...) → (S, ...), bilinear."""
        flat = image.reshape(size * size, -1)
        weights = ((0, (1 - right) * (1 - down)), (1, right * (1 - down)), (size, (1 - right) * down))
        values = (right * down)[:, None] * flat[first + size + 1]
        for step, weight in weights:
            values += weight[:, None] * flat[first + step]
        return np.asarray(values, np.float32)

    normal = sampled(maps["normal"])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-6
    across, downward = tangents(normal)
    tilt = maps["normal_scale"][:, None, None] * np.stack([sampled(each) for each in maps["normal_change"]])
    hollow = maps["concavity_scale"][:, None, None] * np.stack([sampled(each) for each in maps["concavity_change"]])
    return FoldMaps(
        samples=samples,
        normal=normal,
        concavity=sampled(maps["concavity"]),
        skin=sampled(maps["skin"])[:, 0] / 255,
        normal_change=tilt[..., :1] * across + tilt[..., 1:] * downward,
        concavity_change=hollow,
        units=np.array([ACTION_UNITS.index(name.removesuffix(FURROW)) for name in entries]),
        furrows=np.array([name.endswith(FURROW) for name in entries]),
    )


def tangents(normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Span the tangent plane.

    Args:
        normal: (S, 3) unit normals.

    Returns:
        Unit vectors (S, 3) to the right and down, as the picture of a frontal face has them.
    """
    down = np.array([0, 1, 0], np.float32) - normal[:, 1:2] * normal
    down /= np.linalg.norm(down, axis=1, keepdims=True) + 1e-6
    return np.cross(normal, down), down
