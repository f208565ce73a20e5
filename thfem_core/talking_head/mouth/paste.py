"""Which part of the mouth region is pasted: the lower face, feathered towards nose, cheeks and the face's outline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...face.blend import feathered_mask

# Below the nose, down the cheeks, along the jaw.
_LOWER_FACE = (2, 98, 327, 205, 425, 207, 427, 214, 434, 210, 430, 211, 431, 32, 262, 208, 428, 199, 175, 152, 148, 377)
_FEATHER = 0.09  # share of the region's side
_GROWTH = 1.05  # of the lower face about its middle, so that its edge lies on cheeks that do not move


def lower_face(meshes: Sequence[np.ndarray], size: int) -> np.ndarray:
    """Opacity of the lower face.

    Args:
        meshes: One or more meshes, float (478, 2 or more) in pixels of the region; all of them are covered.
        size: Side of the region in pixels.

    Returns:
        float32 (size, size): 1 on the lower faces, 0 at the region's border.
    """
    faces = [mesh[list(_LOWER_FACE)] for mesh in meshes]
    grown = [points.mean(axis=0) + _GROWTH * (points - points.mean(axis=0)) for points in faces]
    return feathered_mask(np.concatenate(grown), size, feather=_FEATHER * size)
