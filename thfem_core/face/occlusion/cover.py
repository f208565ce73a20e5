"""What becomes of an edit under and beside something that is in front of the face."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ...media.frame import Box
from ..crop import FaceCrop
from ..mesh.flow import Warp, change_mask
from ..smoothstep import smoothstep
from .crop import SIDE

FIELD = 128  # side of the fields, samples
COVERED = 0.5  # from this on a pixel counts as covered
BORDER = 4.0  # face units by which covered pixels are grown: what the network's coarse grid may miss
FADE = 5.0  # face units beyond, over which the picture of the source fades out
# Face units beyond, over which motion fades in: well above twice the largest displacement, so that nothing folds over
# and nothing is fetched from under the border.
MOTION_FADE = 20.0


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class FaceCover:
    """One face with something in front of it.

    crop: Square of the frame over which the fields lie.
    kept: (FIELD, FIELD) float32, opacity of what the unedited frame shows: 1 on what covers the face.
    still: (FIELD, FIELD) float32, 1 where nothing may move or change its brightness, falling to 0 farther away.
    """

    crop: FaceCrop
    kept: np.ndarray
    still: np.ndarray

    def over(self, field: np.ndarray, box: Box, shape: tuple[int, int] | None = None) -> np.ndarray:
        """Bring a field to the frame; see :func:`field_over`."""
        return field_over(field, self.crop, box, shape)

    def damped(self, warp: Warp) -> Warp:
        """Let a warp fade towards what covers the face."""
        free = 1 - self.over(self.still, warp.box, warp.alpha.shape)
        flow, gain = warp.flow * free[..., None], warp.gain * free
        return replace(warp, flow=flow, gain=gain, alpha=change_mask(flow, gain))

    def free_at(self, points: np.ndarray) -> np.ndarray:
        """Share (P,) of their motion that points (P, 2 or more) of the frame, in pixels, keep."""
        places = (self.crop.to_crop(points[:, :2], FIELD) - 0.5).astype(np.float32)
        x, y = np.ascontiguousarray(places.T)
        return 1 - cv2.remap(self.still, x[None], y[None], cv2.INTER_LINEAR, borderValue=0)[0]


def make_cover(crop: FaceCrop, covered: np.ndarray, left: np.ndarray | None = None) -> FaceCover | None:
    """Make the fields of a face.

    Args:
        crop: Square of the frame.
        covered: (S, S) float32 in 0..1 over the square, steady.
        left: (FIELD, FIELD) float32 in 0..1, where an edit is left out because a part is covered; None for nowhere.

    Returns:
        The fields; None where nothing is in front of the face.
    """
    fine = cv2.resize(covered, (FIELD, FIELD), interpolation=cv2.INTER_LINEAR)
    inside = (fine > COVERED).astype(np.uint8)
    kept = still = np.zeros((FIELD, FIELD), np.float32)
    if inside.any():
        away = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3) * (SIDE / FIELD)
        kept = smoothstep(away, BORDER + FADE, BORDER).astype(np.float32)
        still = smoothstep(away, BORDER + MOTION_FADE, BORDER).astype(np.float32)
    if left is not None:
        kept, still = np.maximum(kept, left), np.maximum(still, left)
    return FaceCover(crop=crop, kept=kept, still=still) if kept.any() else None


def field_over(field: np.ndarray, crop: FaceCrop, box: Box, shape: tuple[int, int] | None = None) -> np.ndarray:
    """Sample a field over a square at the places of a box.

    Args:
        field: (S, S) float32 over the square.
        crop: The square.
        box: Part of the frame.
        shape: Rows and columns of a grid that spans the box; None for its pixels.

    Returns:
        (rows, columns) float32, 0 outside the square; what is 1 in the field stays 1.
    """
    rows, columns = shape or (box.height, box.width)
    matrix = crop.matrix(len(field))
    step = np.array([box.width / columns, box.height / rows])
    matrix[:, 2] += matrix[:, :2] @ (np.array([box.x0, box.y0]) + step / 2) - 0.5
    matrix[:, :2] *= step
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    sampled = cv2.warpAffine(field, matrix, (columns, rows), flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return np.minimum(sampled * np.float32(1.0005), np.float32(1.0))
