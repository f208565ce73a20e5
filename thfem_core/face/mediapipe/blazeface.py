"""BlazeFace, short range: finds the faces that fill at least a tenth of a 128 × 128 picture.

Source: the network of ``face_detection_short_range.tflite`` (MediaPipe 0.10.21, Apache-2.0); architecture after
Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from einops import rearrange
from torch import Tensor, nn

from .anchors import VALUES, AnchorGrid, DetectorSpec
from .blocks import BlazeBlock, Pointwise, SameConv2d, relu

SHORT_RANGE = DetectorSpec(
    input_side=128, anchors=(AnchorGrid(stride=8, per_cell=2), AnchorGrid(stride=16, per_cell=6)), min_score=0.5
)

_FINE_WIDTHS = (24, 24, 28, 32, 36, 42, 48, 56, 64, 72, 80, 88)
_COARSE_WIDTHS = (88, 96, 96, 96, 96, 96)
_HALVED = (28, 42, 88)  # widths at which the next block halves the resolution


def _blocks(widths: tuple[int, ...]) -> nn.Sequential:
    return nn.Sequential(*(BlazeBlock(a, b, relu, stride=2 if a in _HALVED else 1) for a, b in pairwise(widths)))


class ShortRangeBlazeFace(nn.Module):
    """(B, 3, 128, 128) in -1..1 → scores (B, 896) before the sigmoid, boxes (B, 896, 16) in input pixels,
    relative to the anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(SameConv2d(3, 24, 5, stride=2), nn.ReLU(inplace=True))
        self.fine = _blocks(_FINE_WIDTHS)
        self.coarse = _blocks(_COARSE_WIDTHS)
        self.fine_scores = Pointwise(88, 2)
        self.coarse_scores = Pointwise(96, 6)
        self.fine_boxes = Pointwise(88, 2 * VALUES)
        self.coarse_boxes = Pointwise(96, 6 * VALUES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.fine(self.stem(images))
        coarse = self.coarse(fine)
        scores = [_per_anchor(self.fine_scores(fine), 1), _per_anchor(self.coarse_scores(coarse), 1)]
        boxes = [_per_anchor(self.fine_boxes(fine), VALUES), _per_anchor(self.coarse_boxes(coarse), VALUES)]
        return torch.cat(scores, dim=1)[..., 0], torch.cat(boxes, dim=1)


def _per_anchor(grid: Tensor, values: int) -> Tensor:
    return rearrange(grid, "b (anchor value) h w -> b (h w anchor) value", value=values)
