"""A drawn crop of a face as a patch of its frame."""

from __future__ import annotations

import cv2
import numpy as np

from ..face.blend import feathered_mask
from ..face.crop import FaceCrop, pixel_matrix
from ..media.frame import Box, Frame
from .head import FacePatch

_GROWTH = 1.12  # of the outline about its middle: chins drop and brows rise beyond where they were tracked
_FEATHER = 0.08  # share of the crop's side over which the drawn face fades out


def face_patch(frame: Frame, crop: FaceCrop, drawn: np.ndarray, landmarks: np.ndarray) -> FacePatch | None:
    """``drawn`` (size, size, 3) uint8 RGB, a picture of ``crop``, as a patch that covers the face and fades out around
    it. landmarks: (P, 2 or more) pixels of the frame, whose hull is the face. None where nothing of it is in the frame.
    """
    size = len(drawn)
    points = crop.to_crop(landmarks[:, :2].astype(np.float64), size)
    middle = points.mean(axis=0)
    mask = feathered_mask(middle + _GROWTH * (points - middle), size, feather=_FEATHER * size)
    area = crop.box(frame)
    if area.width == 0 or area.height == 0:
        return None
    alpha = _warped(mask, crop, area, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not len(rows):
        return None
    box = Box(
        area.x0 + int(columns[0]), area.y0 + int(rows[0]), area.x0 + int(columns[-1]) + 1, area.y0 + int(rows[-1]) + 1
    )
    if crop.side < size / 1.5:
        # The face is smaller than it was drawn: shrink by area first, for the warp alone would alias.
        side = max(1, round(crop.side))
        drawn = cv2.resize(drawn, (side, side), interpolation=cv2.INTER_AREA)
    rgb = _warped(drawn, crop, box, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)
    alpha = alpha[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return FacePatch(box=box, rgb=rgb, alpha=np.ascontiguousarray(alpha))


def _warped(picture: np.ndarray, crop: FaceCrop, box: Box, interpolation: int, border: int) -> np.ndarray:
    back = pixel_matrix(cv2.invertAffineTransform(crop.matrix(len(picture))), target=box)
    return cv2.warpAffine(picture, back, (box.width, box.height), flags=interpolation, borderMode=border)
