"""Head poses as rows of six numbers, as talking heads take them: yaw, pitch, roll, scale, tx, ty.

Angles in degrees by the convention of :mod:`..face.pose` (yaw positive = turned to the image's right, pitch positive =
up, roll positive = clockwise on screen), scale in pixels per canonical unit, tx and ty in pixels. The depth of the
translation has no place in a weak-perspective picture and is left out.
"""

from __future__ import annotations

import numpy as np

from ..face.pose import HeadPose


def rotation_matrices(angles: np.ndarray) -> np.ndarray:
    """(T, 3) yaw, pitch, roll in degrees → (T, 3, 3) with determinant +1; the inverse of ``HeadPose.angles``."""
    (cy, cp, cr), (sy, sp, sr) = (f(np.radians(np.asarray(angles, np.float64))).T for f in (np.cos, np.sin))
    zero, one = np.zeros_like(cy), np.ones_like(cy)
    about_y = np.array([[cy, zero, -sy], [zero, one, zero], [sy, zero, cy]])
    about_x = np.array([[one, zero, zero], [zero, cp, sp], [zero, -sp, cp]])
    about_z = np.array([[cr, -sr, zero], [sr, cr, zero], [zero, zero, one]])
    return np.einsum("ijt,jkt,klt->til", about_y, about_x, about_z)


def pose_vectors(pose: HeadPose) -> np.ndarray:
    """(T, 6) float32; NaN where the pose is."""
    return np.column_stack([pose.angles(), pose.scale, pose.translation[:, :2]]).astype(np.float32)


def pose_from_vectors(vectors: np.ndarray) -> HeadPose:
    """(T, 6) → the pose, its translation at depth 0."""
    vectors = np.asarray(vectors, np.float64)
    translation = np.column_stack([vectors[:, 4:6], np.zeros(len(vectors))])
    return HeadPose(scale=vectors[:, 3], rotation=rotation_matrices(vectors[:, :3]), translation=translation)
