"""Head poses as rows of six numbers, as talking heads take them: yaw, pitch, roll, scale, tx, ty.

Angles in degrees by the convention of :mod:`..face.pose` (yaw positive = turned to the image's right, pitch positive =
up, roll positive = clockwise on screen), scale in pixels per canonical unit, tx and ty in pixels. The depth of the
translation has no place in a weak-perspective picture and is left out.
"""

from __future__ import annotations

import numpy as np

from ..face.pose import HeadPose


def pose_vectors(pose: HeadPose) -> np.ndarray:
    """Write head poses as rows.

    Args:
        pose: Head poses of T frames.

    Returns:
        float32 (T, 6): yaw, pitch, roll, scale, tx, ty; NaN where the pose is.
    """
    return np.column_stack([pose.angles(), pose.scale, pose.translation[:, :2]]).astype(np.float32)
