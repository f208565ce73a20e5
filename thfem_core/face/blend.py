"""Pasting an edited crop back into its frame at native resolution, without a seam."""

from __future__ import annotations

import cv2
import numpy as np

from ..media.frame import Box, Frame
from .crop import FaceCrop, pixel_matrix
from .smoothstep import smoothstep


def feathered_mask(points: np.ndarray, size: int, *, feather: float) -> np.ndarray:
    """Draw the convex hull of points with a soft border.

    Args:
        points: (P, 2) in pixels of the crop.
        size: Side of the crop.
        feather: Pixels over which the mask falls to 0 at the hull and at the crop's border.

    Returns:
        (size, size) float32: 1 deep inside, exactly 0 outside.
    """
    hull = cv2.convexHull(np.asarray(points, np.float32) - 0.5)
    # A border of zeros: what the hull shares with the crop's edge must be feathered too.
    inside = np.zeros((size + 2, size + 2), np.uint8)
    shifted = np.rint((hull + 1) * 16).astype(np.int32)
    cv2.fillConvexPoly(inside, shifted, 1, lineType=cv2.LINE_8, shift=4)
    inside[[0, -1]] = 0
    inside[:, [0, -1]] = 0
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
    return smoothstep(depth, 0.0, max(feather, 1e-6)).astype(np.float32)


def place_crop(
    frame: Frame, crop: FaceCrop, drawn: np.ndarray, mask: np.ndarray
) -> tuple[Box, np.ndarray, np.ndarray] | None:
    """Bring a drawn crop back to the frame's pixels, ready for ``frame.paste``.

    Args:
        frame: Where it will be pasted.
        crop: Where it was taken from.
        drawn: (size, size, 3) uint8 RGB, the crop's new picture.
        mask: (size, size) float32, 0..1 opacity.

    Returns:
        The box that the mask reaches, RGB and opacity over it; None where the mask reaches nothing in the frame.

    Raises:
        ValueError: Picture and mask are not one square.
    """
    size = len(drawn)
    if drawn.shape != (size, size, 3) or mask.shape != (size, size):
        raise ValueError(f"drawn {drawn.shape} and mask {mask.shape} must be one square: (size, size, 3), (size, size)")
    area = crop.box(frame)
    if area.width == 0 or area.height == 0:
        return None
    back = cv2.invertAffineTransform(crop.matrix(size))
    alpha = _warp(mask, back, area, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if len(rows) == 0:
        return None
    box = Box(
        area.x0 + int(columns[0]), area.y0 + int(rows[0]), area.x0 + int(columns[-1]) + 1, area.y0 + int(rows[-1]) + 1
    )
    alpha = np.ascontiguousarray(alpha[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    if crop.side < size / 1.5:
        # The crop was enlarged: bring it down by area before the warp, which alone would alias.
        small = max(1, round(crop.side))
        drawn = cv2.resize(drawn, (small, small), interpolation=cv2.INTER_AREA)
        back = cv2.invertAffineTransform(crop.matrix(small))
    return box, _warp(drawn, back, box, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE), alpha


def _warp(picture: np.ndarray, matrix: np.ndarray, target: Box, interpolation: int, border: int) -> np.ndarray:
    placed = pixel_matrix(matrix, target=target)
    return cv2.warpAffine(picture, placed, (target.width, target.height), flags=interpolation, borderMode=border)
