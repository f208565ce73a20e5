"""The mouth region: an upright square of the frame around the lower face, fixed to the head and not to the lips.

It reaches from the tip of the nose to below the chin, so the drawn part lies well inside it.
"""

from __future__ import annotations

import numpy as np

from ...face.crop import FaceCrop
from ...face.pose import HeadPose

CENTRE = np.array([[0.0, 90.0, -25.0]])  # on the canonical face, face units
SIDE = 120.0  # face units
PIXELS = 128  # side of the region as networks see it
WIDE_PIXELS = 168  # side of the region with the margin that warps reach into, which prepared training clips store
MARGIN = WIDE_PIXELS / PIXELS
LOWER_HALF = slice(38, 137)  # rows of the region with margin that are the lower half of a face, as sync experts see it


def mouth_regions(pose: HeadPose, *, margin: float = 1.0) -> list[FaceCrop]:
    """Place the mouth region in every frame.

    Args:
        pose: Head poses of T frames.
        margin: Factor on the region's side, about the same centre.

    Returns:
        T squares of the frame, turned with the head's roll.
    """
    centre = pose.to_image(CENTRE)[:, 0, :2]
    roll = np.radians(pose.angles()[:, 2])
    return [
        FaceCrop(cx=float(x), cy=float(y), side=float(scale) * SIDE * margin, rotation=float(angle))
        for (x, y), scale, angle in zip(centre, pose.scale, roll, strict=True)
    ]


def place_mesh(mesh: np.ndarray, region: FaceCrop) -> np.ndarray:
    """Bring a mesh into a region with margin.

    Args:
        mesh: float (478, 3) in pixels of the frame.
        region: A mouth region with margin.

    Returns:
        float (478, 3) in pixels of the region (side WIDE_PIXELS), z scaled alike.
    """
    flat = region.to_crop(mesh[:, :2], WIDE_PIXELS)
    return np.concatenate([flat, mesh[:, 2:] * WIDE_PIXELS / region.side], axis=1)
