"""The average face that poses are measured against.

Face unit: 1 % of the distance between the average face's outer eye corners, which lie at (∓50, 0, 0); x right,
y down, z negative towards the camera.
"""

from __future__ import annotations

import numpy as np

from ..pose import head_pose
from .basis import load_basis


def canonical_mesh() -> np.ndarray:
    """Return the canonical face.

    Returns:
        (478, 3) float32, read-only, in face units.

    Raises:
        WeightsError: The file that ships with the package is missing or damaged.
    """
    return load_basis().canonical


def canonical_shapes(landmarks: np.ndarray) -> np.ndarray:
    """Take the head pose out of fitted meshes.

    Args:
        landmarks: (T, 478, 3) in pixels, finite.

    Returns:
        (T, 478, 3) float64 in face units, on the canonical head.
    """
    return head_pose(landmarks, canonical_mesh()).to_canonical(landmarks)
