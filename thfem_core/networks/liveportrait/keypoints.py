"""Geometry of LivePortrait's implicit keypoints.

Convention: 21 keypoints, x right, y down, z inward, in units of half the 256-pixel crop. Angles are pitch, yaw, roll in
degrees. Rotations act on row vectors: points @ rotation. The z of the translation is never used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .motion_extractor import BINS, KEYPOINTS, RawMotion

_STEP, _LEAST = 3.0, -97.5  # degrees per bin, and of the first bin


class FaceMotion(NamedTuple):
    """Where the keypoints of N faces are, taken apart.

    canonical: (N, 21, 3) keypoints of the person, seen from the front, without expression.
    angles: (N, 3) pitch, yaw, roll in degrees.
    rotation: (N, 3, 3) of those angles; smoothed rotations need not be orthogonal.
    expression: (N, 21, 3) offsets of the canonical keypoints after rotation.
    scale: (N, 1).
    translation: (N, 3).
    """

    canonical: Tensor
    angles: Tensor
    rotation: Tensor
    expression: Tensor
    scale: Tensor
    translation: Tensor

    def rows(self, rows: slice | Sequence[int]) -> FaceMotion:
        """The faces ``rows``."""
        return FaceMotion(*(field[rows] for field in self))

    def undeformed(self) -> Tensor:
        """(N, 21, 3) keypoints as if the face had no expression."""
        return self._place(self.canonical @ self.rotation)

    def keypoints(self) -> Tensor:
        """(N, 21, 3) keypoints in the crop: scale · (canonical @ rotation + expression) + translation."""
        return self._place(self.canonical @ self.rotation + self.expression)

    def _place(self, points: Tensor) -> Tensor:
        shift = torch.nn.functional.pad(self.translation[..., :2], (0, 1))
        return self.scale[..., None] * points + shift[..., None, :]


def stack_motions(motions: Sequence[FaceMotion]) -> FaceMotion:
    """One :class:`FaceMotion` of the faces of several."""
    return FaceMotion(*(torch.cat(fields) for fields in zip(*motions, strict=True)))


def rotation_matrices(angles: Tensor) -> Tensor:
    """Rotations of heads.

    Args:
        angles: (N, 3) pitch, yaw, roll in degrees.

    Returns:
        (N, 3, 3): (Rz(roll) Ry(yaw) Rx(pitch)) transposed, for row vectors.
    """
    radians = torch.deg2rad(angles)
    cosines, sines = torch.cos(radians).unbind(-1), torch.sin(radians).unbind(-1)
    zero, one = torch.zeros_like(radians[:, 0]), torch.ones_like(radians[:, 0])

    def matrix(*entries: Tensor) -> Tensor:
        return torch.stack(entries, dim=-1).view(-1, 3, 3)

    (cx, cy, cz), (sx, sy, sz) = cosines, sines
    about_x = matrix(one, zero, zero, zero, cx, -sx, zero, sx, cx)
    about_y = matrix(cy, zero, sy, zero, one, zero, -sy, zero, cy)
    about_z = matrix(cz, -sz, zero, sz, cz, zero, zero, zero, one)
    return (about_z @ about_y @ about_x).mT


def binned_degrees(logits: Tensor) -> Tensor:
    """(N, 66) logits → (N,) degrees: the expectation over bins."""
    bins = torch.arange(BINS, device=logits.device, dtype=torch.float32)
    return torch.softmax(logits.float(), dim=-1) @ bins * _STEP + _LEAST


def face_motion(raw: RawMotion) -> FaceMotion:
    """Geometry of what the motion extractor said, in float32."""
    angles = torch.stack([binned_degrees(logits) for logits in (raw.pitch, raw.yaw, raw.roll)], dim=-1)
    return FaceMotion(
        canonical=raw.canonical.float().unflatten(-1, (KEYPOINTS, 3)),
        angles=angles,
        rotation=rotation_matrices(angles),
        expression=raw.expression.float().unflatten(-1, (KEYPOINTS, 3)),
        scale=raw.scale.float(),
        translation=raw.translation.float(),
    )
