"""Non-maximum suppression that averages what it merges, so that boxes do not jump from frame to frame."""

from __future__ import annotations

import numpy as np

from ..models import Detection
from .anchors import Candidates

_SAME_FACE = 0.3  # IoU
_NEAR_SHARE = 0.25  # of the frame's longer side: faces of this size and more are the short-range network's


def intersection_over_union(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """IoU of one box (4,) with many (N, 4): (N,) 0..1. Boxes are x0, y0, x1, y1; empty ones overlap nothing."""
    overlap = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    intersection = np.prod(np.maximum(overlap, 0.0), axis=1)
    union = np.prod(np.maximum(box[2:] - box[:2], 0.0)) + np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0), axis=1)
    union = union - intersection
    return np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)


def weighted_nms(candidates: Candidates, *, min_iou: float = _SAME_FACE) -> Candidates:
    """Each best remaining candidate takes in all that overlap it by more than ``min_iou``; box and keypoints become
    their mean weighted by score, the score stays the best one's. Best first.

    Source: the blending of BlazeFace (Bazarevsky et al., 2019, section 3.3).
    """
    order = np.argsort(-candidates.scores, kind="stable")
    boxes, keypoints, scores = candidates.boxes[order], candidates.keypoints[order], candidates.scores[order]
    left = np.arange(len(scores))
    merged_boxes, merged_keypoints, best_scores = [], [], []
    while len(left):
        same = intersection_over_union(boxes[left[0]], boxes[left]) > min_iou
        same[0] = True
        group = left[same]
        weights = scores[group]
        merged_boxes.append(np.average(boxes[group], axis=0, weights=weights))
        merged_keypoints.append(np.average(keypoints[group], axis=0, weights=weights))
        best_scores.append(scores[left[0]])
        left = left[~same]
    return Candidates(
        boxes=np.array(merged_boxes, dtype=np.float32).reshape(-1, 4),
        keypoints=np.array(merged_keypoints, dtype=np.float32).reshape(-1, 6, 2),
        scores=np.array(best_scores, dtype=np.float32),
    )


def merge_ranges(near: list[Detection], far: list[Detection], longer_side: int) -> list[Detection]:
    """What the short-range and the full-range network found in one frame, each face once, best score first.

    The short-range network misplaces small faces and the full-range one overlooks very large ones: where both saw a
    face, its size decides whose box counts. longer_side: of the frame, in pixels.
    """

    def unsuited(detection: Detection, is_near: bool) -> bool:
        x0, y0, x1, y1 = detection.box
        return (max(x1 - x0, y1 - y0) >= _NEAR_SHARE * longer_side) != is_near

    ranked = [(unsuited(d, True), -d.score, d) for d in near] + [(unsuited(d, False), -d.score, d) for d in far]
    kept: list[Detection] = []
    for _, _, detection in sorted(ranked, key=lambda entry: entry[:2]):
        boxes = np.array([other.box for other in kept]).reshape(-1, 4)
        if not np.any(intersection_over_union(np.array(detection.box), boxes) > _SAME_FACE):
            kept.append(detection)
    return sorted(kept, key=lambda d: -d.score)
