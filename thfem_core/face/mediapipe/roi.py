"""Where the mesh network looks, and the affine maps between that square and the frame.

Pixel coordinates put the centre of the top-left pixel at (0.5, 0.5), in the frame and in the crop alike.
"""

from __future__ import annotations

import math

import numpy as np

from ...media.frame import Frame
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
    """The same from a mesh: (468 or 478, 3) pixels. Landmarks must be finite."""
    flat = np.asarray(landmarks, dtype=np.float64)[:, :2]
    return _square(flat.min(axis=0), flat.max(axis=0), flat[_RIGHT_EYE_CORNER], flat[_LEFT_EYE_CORNER])


def roi_to_frame(roi: FaceRoi, side: int) -> np.ndarray:
    """Affine map (2, 3) float64 from pixels of a ``side`` × ``side`` crop of the region to pixels of the frame."""
    scale = roi.side / side
    cos, sin = math.cos(roi.rotation) * scale, math.sin(roi.rotation) * scale
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([linear, np.array([roi.cx, roi.cy]) - linear @ np.full(2, side / 2)])


def crop(frame: Frame, roi: FaceRoi, side: int) -> np.ndarray:
    """The region, upright: uint8 RGB (side, side, 3), bilinear. Outside the frame its border pixels repeat."""
    return frame.warped(roi_to_frame(roi, side), side, side)


def landmarks_to_frame(landmarks: np.ndarray, roi: FaceRoi, side: int) -> np.ndarray:
    """(N, 3) pixels of the crop → (N, 3) float32 pixels of the frame; depth scales as the width does."""
    to_frame = roi_to_frame(roi, side)
    flat = landmarks[:, :2] @ to_frame[:, :2].T + to_frame[:, 2]
    return np.column_stack([flat, landmarks[:, 2] * (roi.side / side)]).astype(np.float32)
