"""Where the mesh network looks, and the affine maps between that square and the frame.

Pixel coordinates put the centre of the top-left pixel at (0.5, 0.5), in the frame and in the crop alike.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from ...media.frame import Box, Frame
from ..models import Detection, FaceRoi

_MARGIN = 1.5  # side of the square over the longer side of the face's box
_RIGHT_EYE, _LEFT_EYE = 0, 1  # keypoints of a detection
_RIGHT_EYE_CORNER, _LEFT_EYE_CORNER = 33, 263  # outer corners in the mesh


def _square(low: np.ndarray, high: np.ndarray, right_eye: np.ndarray, left_eye: np.ndarray) -> FaceRoi:
    (cx, cy), (width, height), (dx, dy) = (low + high) / 2, high - low, left_eye - right_eye
    side = _MARGIN * max(float(width), float(height), 1.0)
    return FaceRoi(cx=float(cx), cy=float(cy), side=side, rotation=math.atan2(dy, dx))


def roi_from_detection(detection: Detection) -> FaceRoi:
    """A square half as large again as the box, upright with respect to the eyes. Pixels, radians."""
    box = np.asarray(detection.box, dtype=np.float64)
    return _square(box[:2], box[2:], detection.keypoints[_RIGHT_EYE], detection.keypoints[_LEFT_EYE])


def roi_from_landmarks(landmarks: np.ndarray) -> FaceRoi:
    """The same from a mesh: (478, 3) pixels. Landmarks must be finite."""
    flat = np.asarray(landmarks, dtype=np.float64)[:, :2]
    return _square(flat.min(axis=0), flat.max(axis=0), flat[_RIGHT_EYE_CORNER], flat[_LEFT_EYE_CORNER])


def roi_to_frame(roi: FaceRoi, side: int) -> np.ndarray:
    """Affine map (2, 3) float64 from pixels of a ``side`` × ``side`` crop of the region to pixels of the frame."""
    scale = roi.side / side
    cos, sin = math.cos(roi.rotation) * scale, math.sin(roi.rotation) * scale
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([linear, np.array([roi.cx, roi.cy]) - linear @ np.full(2, side / 2)])


def crop(frame: Frame, roi: FaceRoi, side: int) -> np.ndarray:
    """The region, upright: uint8 RGB (side, side, 3), bilinear. Outside the frame its edge pixels repeat.

    Only the part of the frame under the region is read.
    """
    to_frame = roi_to_frame(roi, side)
    corners = np.array([[0, 0], [side, 0], [0, side], [side, side]]) @ to_frame[:, :2].T + to_frame[:, 2]
    box = _readable(corners, frame.width, frame.height)
    indices = to_frame.copy()  # OpenCV counts pixels from their centres
    indices[:, 2] += to_frame[:, :2] @ np.full(2, 0.5) - 0.5 - np.array([box.x0, box.y0])
    return cv2.warpAffine(
        frame.rgb(box),
        indices,
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _readable(corners: np.ndarray, width: int, height: int) -> Box:
    """The pixels that bilinear sampling inside the corners touches; at least one, at the border if all lie outside."""
    x0, y0 = np.floor(corners.min(axis=0)).astype(int) - 1
    x1, y1 = np.ceil(corners.max(axis=0)).astype(int) + 1
    x0, y0 = int(np.clip(x0, 0, width - 1)), int(np.clip(y0, 0, height - 1))
    return Box(x0, y0, int(np.clip(x1, x0 + 1, width)), int(np.clip(y1, y0 + 1, height)))


def landmarks_to_frame(landmarks: np.ndarray, roi: FaceRoi, side: int) -> np.ndarray:
    """(N, 3) pixels of the crop → (N, 3) float32 pixels of the frame; depth scales as the width does."""
    to_frame = roi_to_frame(roi, side)
    flat = landmarks[:, :2] @ to_frame[:, :2].T + to_frame[:, 2]
    return np.column_stack([flat, landmarks[:, 2] * (roi.side / side)]).astype(np.float32)
