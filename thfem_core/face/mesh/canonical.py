"""The average face that poses are measured against."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from ...errors import WeightsError
from ..pose import head_pose

FACE_BASIS = Path(__file__).resolve().parents[2] / "weights" / "face_basis.safetensors"


@lru_cache(maxsize=1)
def canonical_mesh() -> np.ndarray:
    """The canonical face, read-only ``(478, 3)`` float32: x right, y down, z negative towards the camera.

    Unit: 1 % of the distance between the outer eye corners, which lie at (∓50, 0, 0). Raises WeightsError where
    the file that ships with the package is missing or broken.
    """
    try:
        with safe_open(FACE_BASIS, framework="numpy") as file:
            mesh = np.ascontiguousarray(file.get_tensor("canonical"), dtype=np.float32)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"cannot read {FACE_BASIS} ({error}); install the package again") from None
    mesh.flags.writeable = False
    return mesh


def canonical_shapes(landmarks: np.ndarray) -> np.ndarray:
    """Meshes (T, 478, 3) in pixels → face units on the canonical head, (T, 478, 3): pose taken out."""
    return head_pose(landmarks, canonical_mesh()).to_canonical(landmarks)
