"""Which fits and detections show the same face."""

from __future__ import annotations

import numpy as np

FaceBox = tuple[float, float, float, float]


def landmark_box(landmarks: np.ndarray) -> FaceBox:
    """Give the box x0, y0, x1, y1 around landmarks (P, 2 or 3), pixels."""
    (x0, y0), (x1, y1) = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def box_side(box: FaceBox) -> float:
    """Measure a box by the geometric mean of width and height, which turning the head changes little."""
    return float(np.sqrt(max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)))


def box_centre(box: FaceBox) -> tuple[float, float]:
    """Give the middle of a box."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def distance(a: FaceBox, b: FaceBox) -> float:
    """Measure how far two boxes are apart: between centres, in units of the mean side; infinite if one is empty."""
    (ax, ay), (bx, by) = box_centre(a), box_centre(b)
    side = (box_side(a) + box_side(b)) / 2
    return float(np.hypot(ax - bx, ay - by)) / side if side > 0 else float("inf")


def size_ratio(a: FaceBox, b: FaceBox) -> float:
    """Compare the sizes of two boxes: the larger side over the smaller, 1 or more."""
    small, large = sorted((box_side(a), box_side(b)))
    return large / small if small > 0 else float("inf")


def same_place(a: FaceBox, b: FaceBox) -> bool:
    """Say whether two boxes of one frame, of a detector or a mesh, can only be one face: heads are solid."""
    return distance(a, b) < 0.5 and size_ratio(a, b) < 2.0


def same_fit(a: FaceBox, b: FaceBox) -> bool:
    """Say whether two meshes of one frame were fitted to one face: closer than half-hidden neighbours ever are."""
    return distance(a, b) < 0.25 and size_ratio(a, b) < 1.5


def reachable(before: FaceBox, after: FaceBox, frames: int) -> bool:
    """Say whether a face may have moved from one box to the other within some frames, at 25 to 60 per second."""
    return distance(before, after) < min(0.35 + 0.1 * frames, 1.0) and size_ratio(before, after) < 1.6
