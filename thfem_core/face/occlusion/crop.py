"""The square around a face in which occlusion is measured."""

from __future__ import annotations

import numpy as np

from ..crop import FaceCrop
from ..mesh.canonical import canonical_mesh
from ..pose import head_pose

SIDE = 260.0  # of the square, face units: the face's outline enlarged by 1.3
_MIDDLE = np.array([[0.0, 36.0, 0.0]])  # of the canonical face, between hairline and chin


def occlusion_crop(landmarks: np.ndarray, *, margin: float = 1.0) -> FaceCrop:
    """Place the upright square in which the occlusion network sees a face.

    Args:
        landmarks: (478, 3) in pixels, finite.
        margin: Factor on the square's side.

    Returns:
        The square; it turns with the head's roll.
    """
    pose = head_pose(landmarks[None], canonical_mesh())
    centre = pose.to_image(_MIDDLE)[0, 0]
    return FaceCrop(
        cx=float(centre[0]),
        cy=float(centre[1]),
        side=float(pose.scale[0]) * SIDE * margin,
        rotation=float(np.radians(pose.angles()[0, 2])),
    )
