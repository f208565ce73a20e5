"""A drawn crop of a face as a patch of its frame."""

from __future__ import annotations

import numpy as np

from ..face.blend import feathered_mask, place_crop
from ..face.crop import FaceCrop
from ..media.frame import Frame
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
    placed = place_crop(frame, crop, drawn, mask)
    if placed is None:
        return None
    box, rgb, alpha = placed
    return FacePatch(box=box, rgb=rgb, alpha=alpha)
