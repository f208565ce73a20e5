"""Did the edit blur the face?"""

from __future__ import annotations

import cv2
import numpy as np

from ..face.mesh.topology import FACE_OVAL
from .pixel_fidelity import check_same_size


def sharpness_ratio(source: np.ndarray, output: np.ndarray, landmarks: np.ndarray) -> float:
    """Fine detail of the output's face against the source's: the ratio of their Laplacians' standard deviations.

    Args:
        source: Frame before the edit, (H, W, 3) uint8 RGB.
        output: The same frame after it.
        landmarks: Face mesh of the source in pixels, (478, 2) or (478, 3).

    Returns:
        1 = as sharp, less = blurred, more = sharpened or noisy; NaN where the face is off the frame or has no detail.

    Raises:
        InputError: The frames are not uint8 pictures of one size.
    """
    check_same_size(source, output)
    oval = np.round(landmarks[list(FACE_OVAL), :2] - 0.5).astype(np.int32)
    x, y, width, height = cv2.boundingRect(oval)
    x0, y0 = max(x, 0), max(y, 0)
    box = slice(y0, max(y + height, y0)), slice(x0, max(x + width, x0))
    inside = np.zeros(source.shape[:2], np.uint8)
    cv2.fillPoly(inside, [oval], 1)
    face = inside[box] > 0
    if not face.any():
        return float("nan")
    details = [
        cv2.Laplacian(cv2.cvtColor(np.ascontiguousarray(picture[box]), cv2.COLOR_RGB2GRAY), cv2.CV_32F)[face].std()
        for picture in (source, output)
    ]
    return float(details[1] / details[0]) if details[0] > 1e-3 else float("nan")
