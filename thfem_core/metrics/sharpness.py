"""Did the edit blur the face?"""

from __future__ import annotations

import cv2
import numpy as np

from ..face.mesh.topology import FACE_OVAL
from .pixel_fidelity import check_same_size


def sharpness_ratio(source: np.ndarray, output: np.ndarray, landmarks: np.ndarray) -> float:
    """Fine detail of the output's face against the source's: the ratio of their Laplacians' standard deviations.

    source, output: (H, W, 3) uint8 RGB of the same moment; landmarks: (478, 2|3) pixels in the source. 1 = as sharp,
    less = blurred, more = sharpened or noisy. NaN where the face is off the frame or has no detail.
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
