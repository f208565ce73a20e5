"""Leaving out views of a face in which landmarks are guesses."""

from __future__ import annotations

import numpy as np

from ..face.mesh.canonical import canonical_mesh
from ..face.pose import head_pose

MAX_YAW = 40.0  # degrees; beyond, the mesh guesses the hidden half of the face


def yaw(landmarks: np.ndarray) -> np.ndarray:
    """How far heads are turned sideways: meshes (T, 478, 3) in pixels → (T,) degrees, NaN without a face."""
    seen = np.isfinite(landmarks[:, 0, 0])
    degrees = np.full(len(landmarks), np.nan)
    if seen.any():
        degrees[seen] = head_pose(landmarks[seen], canonical_mesh()).angles()[:, 0]
    return degrees


def clear_views(landmarks: np.ndarray) -> np.ndarray:
    """Meshes (T, 478, 3) in pixels, with NaN in frames where the face is turned by more than :data:`MAX_YAW`."""
    clear = landmarks.copy()
    with np.errstate(invalid="ignore"):
        clear[np.abs(yaw(landmarks)) > MAX_YAW] = np.nan
    return clear
