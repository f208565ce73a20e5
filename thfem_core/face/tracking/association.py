"""Which fits and detections show the same face."""

from __future__ import annotations

import numpy as np

FaceBox = tuple[float, float, float, float]


def landmark_box(landmarks: np.ndarray) -> FaceBox:
    """(x0, y0, x1, y1) in pixels around landmarks (P, 2 or 3)."""
    (x0, y0), (x1, y1) = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def box_side(box: FaceBox) -> float:
    """The geometric mean of width and height: a size that turning the head changes little."""
    return float(np.sqrt(max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)))


def box_centre(box: FaceBox) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def distance(a: FaceBox, b: FaceBox) -> float:
    """Between the centres, in units of the mean side; infinite where a box is empty."""
    (ax, ay), (bx, by) = box_centre(a), box_centre(b)
    side = (box_side(a) + box_side(b)) / 2
    return float(np.hypot(ax - bx, ay - by)) / side if side > 0 else float("inf")


def size_ratio(a: FaceBox, b: FaceBox) -> float:
    """The larger side over the smaller, ≥ 1."""
    small, large = sorted((box_side(a), box_side(b)))
    return large / small if small > 0 else float("inf")


def same_place(a: FaceBox, b: FaceBox) -> bool:
    """Whether two boxes of one frame, from a detector or a mesh, can only be one face: people's heads are solid."""
    return distance(a, b) < 0.5 and size_ratio(a, b) < 2.0


def same_fit(a: FaceBox, b: FaceBox) -> bool:
    """Whether two meshes of one frame were fitted to one face; closer than half-hidden neighbours ever are."""
    return distance(a, b) < 0.25 and size_ratio(a, b) < 1.5


def reachable(before: FaceBox, after: FaceBox, frames: int) -> bool:
    """Whether a face may have moved from one box to the other in a number of frames (25 to 60 a second)."""
    return distance(before, after) < min(0.35 + 0.1 * frames, 1.0) and size_ratio(before, after) < 1.6
