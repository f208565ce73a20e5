"""The part of a face crop that DECA reads, and the way back."""

from __future__ import annotations

import cv2
import numpy as np

from ..aligned.similarity import SIDE
from .deca import INPUT_SIDE

_MARGIN = 1.25 * 1.1  # of the landmarks' mean extent


def deca_map(landmarks: np.ndarray) -> np.ndarray:
    """Find the part of a face crop that DECA reads.

    Args:
        landmarks: The 68 points in the crop (68, 2).

    Returns:
        Similarity (3, 3) from pixels of the crop to those of DECA's 224 × 224 picture.
    """
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    size = int(_MARGIN * (high - low).mean())
    scale = (INPUT_SIDE - 1) / size
    corner = (low + high) / 2 - size / 2
    return np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]], [0, 0, 1]])


def deca_crop(face: np.ndarray, to_deca: np.ndarray) -> np.ndarray:
    """Sample DECA's picture out of a face crop.

    Args:
        face: RGB (256, 256, 3) uint8.
        to_deca: The map of :func:`deca_map`.

    Returns:
        RGB (224, 224, 3) float32 in 0..1, 0 outside the crop.
    """
    picture = (face / np.float32(255)).astype(np.float32)
    return cv2.warpAffine(picture, to_deca[:2], (INPUT_SIDE, INPUT_SIDE), flags=cv2.INTER_LINEAR)


def from_deca(picture: np.ndarray, to_deca: np.ndarray) -> np.ndarray:
    """Bring a picture in DECA's place back into the face crop.

    Args:
        picture: (224, 224, 3) float32 in 0..1.
        to_deca: The map of :func:`deca_map`.

    Returns:
        (256, 256, 3) uint8, 0 outside the picture; edited pictures are rounded, as NED does.
    """
    stored = np.floor(np.clip(picture, 0, 1) * 255).astype(np.float32) / 255
    back = cv2.warpAffine(stored, to_deca[:2], (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.rint(back * 255).astype(np.uint8)
