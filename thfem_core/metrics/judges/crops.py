"""Upright face squares, cut by landmarks so that detector jitter does not enter the measures."""

from __future__ import annotations

import cv2
import numpy as np

from ...face.mesh.alignment import similarity
from ...face.mesh.topology import OUTER_EYE_CORNERS
from ...face.pose import RIGID_POINTS

CHIN, FOREHEAD = 152, 10  # mesh points
# The five ArcFace points at 112²: eyes, nose tip, mouth corners (person's right first).
ARCFACE_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float64
)
# Mesh points per ArcFace point; an eye's centre is the mean of its corners.
ARCFACE_POINTS = ((33, 133), (362, 263), (4,), (61,), (291,))


def upright_square(rgb: np.ndarray, landmarks: np.ndarray, size: int, *, scale: float, drop: float = 0.0) -> np.ndarray:
    """Cut a square around a face, turned so that the eyes are level.

    Args:
        rgb: Frame, (H, W, 3) uint8.
        landmarks: Face mesh in pixels, (478, 2) or (478, 3).
        size: Side of the result, in pixels.
        scale: Side of the square, in units of the distance from forehead to chin.
        drop: How far the square's centre lies below the middle of forehead and chin, in the same units.

    Returns:
        (size, size, 3) uint8.
    """
    right, left = (landmarks[i, :2].astype(np.float64) for i in OUTER_EYE_CORNERS)
    across = (left - right) / np.linalg.norm(left - right)
    down = np.array([-across[1], across[0]])
    top, chin = landmarks[FOREHEAD, :2], landmarks[CHIN, :2]
    height = float(np.linalg.norm(chin - top))
    # Sideways the bridge of the nose and the temples decide, so that an open jaw does not move the square.
    centre = (top + chin) / 2.0
    middle = landmarks[RIGID_POINTS, :2].mean(axis=0)
    centre = centre + across * float(np.dot(middle - centre, across)) * 0.5 + down * drop * height
    step = scale * height / size
    to_frame = np.column_stack([across * step, down * step, centre - (across + down) * step * size / 2.0])
    # Pixel centres sit at +0.5 in landmarks but at integers in OpenCV.
    to_frame[:, 2] += (across + down) * step * 0.5 - 0.5
    flags = cv2.INTER_AREA if step > 1 else cv2.INTER_LINEAR
    if step > 1.5:  # warpAffine has no area filter: blur before shrinking
        sigma = 0.4 * step
        rgb = cv2.GaussianBlur(rgb, (0, 0), sigma)
        flags = cv2.INTER_LINEAR
    return cv2.warpAffine(
        rgb, to_frame, (size, size), flags=flags | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )


def arcface_square(rgb: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Cut the aligned square of face-recognition networks (ArcFace, Deng et al. 2019).

    Five points are laid over ArcFace's template by a least-squares similarity; bilinear, black beyond the frame.

    Args:
        rgb: Frame, (H, W, 3) uint8.
        landmarks: Face mesh in pixels, (478, 2) or (478, 3).

    Returns:
        (112, 112, 3) uint8.
    """
    points = np.stack([landmarks[list(group), :2].mean(axis=0) for group in ARCFACE_POINTS]) - 0.5
    matrix, offset = similarity(points[None].astype(np.float64), ARCFACE_TEMPLATE[None])
    to_crop = np.hstack([matrix[0], offset[0, :, None]])
    return cv2.warpAffine(rgb, to_crop, (112, 112), flags=cv2.INTER_LINEAR, borderValue=0)


# (scale, drop) of upright_square: mid-forehead to chin, as FER2013's pictures are cut. Chosen on 115 labelled clips.
_FER_CROPS = ((0.9, -0.08), (1.0, -0.08))


def fer_views(rgb: np.ndarray, landmarks: np.ndarray, size: int) -> np.ndarray:
    """Cut the views that networks trained on FER2013 want: two squares and their mirror images, which halves the noise.

    Args:
        rgb: Frame, (H, W, 3) uint8.
        landmarks: Face mesh in pixels, (478, 2) or (478, 3).
        size: Side of a view, in pixels.

    Returns:
        Gray views, (4, size, size) uint8.
    """
    squares = [upright_square(rgb, landmarks, size, scale=scale, drop=drop) for scale, drop in _FER_CROPS]
    gray = np.stack([cv2.cvtColor(square, cv2.COLOR_RGB2GRAY) for square in squares])
    return np.concatenate([gray, gray[:, :, ::-1]])
