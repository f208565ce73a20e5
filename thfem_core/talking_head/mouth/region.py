"""The mouth region: an upright square of the frame around the lower face, fixed to the head and not to the lips.

It spans the nose's tip to below the chin, so the drawn part lies well inside it.
"""

from __future__ import annotations

import numpy as np

from ...face.crop import FaceCrop
from ...face.pose import HeadPose

# Centre on the canonical face, and side, in face units.
CENTRE = np.array([[0.0, 90.0, -25.0]])
SIDE = 120.0
# Side of the region as networks see it, and of the one with the margin that warps reach into, which prepared training
# clips store.
PIXELS, WIDE_PIXELS = 128, 168
MARGIN = WIDE_PIXELS / PIXELS
# Rows of the region with margin that are the lower half of a face, as sync experts look at it.
LOWER_HALF = slice(38, 137)


def mouth_regions(pose: HeadPose, *, margin: float = 1.0) -> list[FaceCrop]:
    """The mouth region of every frame of ``pose``, ``margin`` times as large about the same centre."""
    centre = pose.to_image(CENTRE)[:, 0, :2]
    roll = np.radians(pose.angles()[:, 2])
    return [
        FaceCrop(cx=float(x), cy=float(y), side=float(scale) * SIDE * margin, rotation=float(angle))
        for (x, y), scale, angle in zip(centre, pose.scale, roll, strict=True)
    ]


def place_mesh(mesh: np.ndarray, region: FaceCrop) -> np.ndarray:
    """A mesh (478, 3) in pixels of the frame → pixels of a region with margin (478, 3), z scaled alike."""
    flat = region.to_crop(mesh[:, :2], WIDE_PIXELS)
    return np.concatenate([flat, mesh[:, 2:] * WIDE_PIXELS / region.side], axis=1)
