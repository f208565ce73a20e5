"""A whole frame in the middle of a detector's square, and detections back in the frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...media.frame import Frame
from ..models import Detection
from .anchors import Candidates


@dataclass(frozen=True, kw_only=True, slots=True)
class Letterbox:
    """A frame of ``frame_size`` scaled to ``size`` at ``offset`` in a square of ``side`` (width, height; x, y)."""

    side: int
    frame_size: tuple[int, int]
    size: tuple[int, int]
    offset: tuple[int, int]

    @classmethod
    def of(cls, width: int, height: int, side: int) -> Letterbox:
        """The largest size that keeps the aspect, to whole pixels, centred."""
        scale = side / max(width, height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        offset = (side - size[0]) // 2, (side - size[1]) // 2
        return cls(side=side, frame_size=(width, height), size=size, offset=offset)

    def picture(self, frame: Frame) -> np.ndarray:
        """Float32 (side, side, 3) in -1..1; the bars are 0, mid grey, which is what the networks were trained on."""
        square = np.zeros((self.side, self.side, 3), np.float32)
        (width, height), (x, y) = self.size, self.offset
        square[y : y + height, x : x + width] = frame.thumbnail(width, height) * np.float32(2 / 255) - 1
        return square

    def detections(self, found: Candidates) -> list[Detection]:
        """Candidates in pixels of the square → detections in pixels of the frame."""
        scale = np.divide(self.frame_size, self.size)
        boxes = ((found.boxes.reshape(-1, 2, 2) - self.offset) * scale).reshape(-1, 4)
        keypoints = ((found.keypoints - self.offset) * scale).astype(np.float32)
        return [
            Detection(box=tuple(box.tolist()), keypoints=points, score=float(score))
            for box, points, score in zip(boxes, keypoints, found.scores, strict=True)
        ]
