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


def mouth_regions(pose: HeadPose, *, margin: float = 1.0) -> list[FaceCrop]:
    """The mouth region of every frame of ``pose``, ``margin`` times as large about the same centre."""
    centre = pose.to_image(CENTRE)[:, 0, :2]
    roll = np.radians(pose.angles()[:, 2])
    return [
        FaceCrop(cx=float(x), cy=float(y), side=float(scale) * SIDE * margin, rotation=float(angle))
        for (x, y), scale, angle in zip(centre, pose.scale, roll, strict=True)
    ]
