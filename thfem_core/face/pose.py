"""Head pose under weak perspective: the similarity that carries the canonical face onto fitted landmarks.

Angles, in degrees, all 0 for an upright frontal face: yaw positive = turned to the image's right, pitch positive =
turned up, roll positive = clockwise on screen. The rotation is yaw · pitch · roll, roll applied first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Points of the 478-point mesh that expressions move least (≤ 4 % of the outer-eye distance under any action unit):
# forehead, bridge of the nose, then left/right pairs of hairline, temples, ear borders and eye corners.
RIGID_POINTS = np.array(
    [10, 151, 168, 6, 197, 195, 109, 338, 67, 297, 103, 332, 54, 284, 21, 251, 162, 389,
     127, 356, 234, 454, 93, 323, 34, 264, 143, 372, 33, 263, 133, 362, 122, 351]
)  # fmt: skip
RIGID_POINTS.flags.writeable = False


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadPose:
    """Poses of a head in T frames: ``landmarks ≈ scale · canonical @ rotation.T + translation``.

    scale: (T,) pixels per face unit.
    rotation: (T, 3, 3) with determinant +1.
    translation: (T, 3) pixels.
    """

    scale: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray

    def rows(self, frames: Sequence[int] | np.ndarray) -> HeadPose:
        """Pick the poses of some of the T frames, in the order given."""
        return HeadPose(scale=self.scale[frames], rotation=self.rotation[frames], translation=self.translation[frames])

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Carry points of the canonical head (P, 3) or (T, P, 3) into the picture: (T, P, 3) pixels."""
        rotated = np.matmul(points, np.swapaxes(self.rotation, 1, 2))
        return self.scale[:, None, None] * rotated + self.translation[:, None, :]

    def to_canonical(self, points: np.ndarray) -> np.ndarray:
        """Carry points of the picture (T, P, 3), pixels, onto the canonical head: (T, P, 3) face units."""
        return np.matmul(points - self.translation[:, None, :], self.rotation) / self.scale[:, None, None]

    def angles(self) -> np.ndarray:
        """Compute yaw, pitch and roll, (T, 3) degrees, in the convention of this module."""
        r = self.rotation
        yaw = np.arctan2(-r[:, 0, 2], r[:, 2, 2])
        pitch = np.arcsin(np.clip(r[:, 1, 2], -1.0, 1.0))
        roll = np.arctan2(r[:, 1, 0], r[:, 1, 1])
        return np.degrees(np.stack([yaw, pitch, roll], axis=1))


def nearest_rotation(matrices: np.ndarray) -> np.ndarray:
    """Find the rotations closest to matrices in the Frobenius norm (Kabsch, Acta Cryst. 1976).

    Args:
        matrices: (..., 3, 3).

    Returns:
        (..., 3, 3) with determinant +1.
    """
    u, _, vt = np.linalg.svd(matrices)
    vt[..., 2, :] *= np.sign(np.linalg.det(u) * np.linalg.det(vt))[..., None]
    return u @ vt


def fit_similarity(points: np.ndarray, reference: np.ndarray) -> HeadPose:
    """Fit rotation, scale and shift from reference points to points, by least squares.

    Source: Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991.

    Args:
        points: (T, P, 3), P at least 3, finite.
        reference: (P, 3).

    Returns:
        T poses.
    """
    points = np.asarray(points, np.float64)
    mean = points.mean(axis=1)
    reference_mean = reference.mean(axis=0, dtype=np.float64)
    centred = reference - reference_mean
    covariance = np.matmul(np.swapaxes(points - mean[:, None], 1, 2), centred)
    rotation = nearest_rotation(covariance)
    scale = (rotation * covariance).sum(axis=(1, 2)) / (centred**2).sum()
    translation = mean - scale[:, None] * (rotation @ reference_mean)
    return HeadPose(scale=scale, rotation=rotation, translation=translation)


def head_pose(landmarks: np.ndarray, canonical: np.ndarray) -> HeadPose:
    """Measure head poses, from the points that expressions hardly move.

    Args:
        landmarks: (T, 478, 3) in pixels, finite.
        canonical: (478, 3), see :mod:`.mesh.canonical`.

    Returns:
        T poses.
    """
    return fit_similarity(landmarks[:, RIGID_POINTS], canonical[RIGID_POINTS])
