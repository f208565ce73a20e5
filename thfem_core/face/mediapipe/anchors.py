"""SSD anchors, and what the detectors say relative to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

VALUES = 16  # per anchor: box centre and size, six keypoints

_SCORE_LIMIT = 80.0  # keeps the exponential of the sigmoid finite in float32


@dataclass(frozen=True, kw_only=True, slots=True)
class AnchorGrid:
    """``per_cell`` anchors of fixed size at the centre of each ``stride`` × ``stride`` cell."""

    stride: int
    per_cell: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DetectorSpec:
    """Input side in pixels, the anchors of its output rows, and the score below which a box is not a face."""

    input_side: int
    anchors: tuple[AnchorGrid, ...]
    min_score: float

    def anchor_centres(self) -> np.ndarray:
        """(N, 2) float32 x, y in input pixels, row by row, grid by grid."""
        grids = []
        for grid in self.anchors:
            axis = (np.arange(self.input_side // grid.stride, dtype=np.float32) + 0.5) * grid.stride
            y, x = np.meshgrid(axis, axis, indexing="ij")
            grids.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), grid.per_cell, axis=0))
        return np.concatenate(grids)


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidates:
    """Boxes above the score threshold, before suppression, in input pixels.

    boxes: (N, 4) x0, y0, x1, y1. keypoints: (N, 6, 2). scores: (N,) 0..1.
    """

    boxes: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray


def decode(raw_scores: np.ndarray, raw_boxes: np.ndarray, spec: DetectorSpec) -> Candidates:
    """Raw network output of one picture ((N,) and (N, 16)) → candidates.

    The 16 values are box centre (relative to the anchor), width, height, then six keypoints relative to the anchor.
    """
    scores = 1.0 / (1.0 + np.exp(-np.clip(raw_scores, -_SCORE_LIMIT, _SCORE_LIMIT)))
    keep = scores >= spec.min_score
    anchors = spec.anchor_centres()[keep]
    values = raw_boxes[keep]
    centres, half = anchors + values[:, :2], values[:, 2:4] / 2
    return Candidates(
        boxes=np.concatenate([centres - half, centres + half], axis=1),
        keypoints=anchors[:, None] + values[:, 4:].reshape(-1, 6, 2),
        scores=scores[keep],
    )
