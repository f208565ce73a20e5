"""EAT's canonical 3-D keypoints."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn

from ...networks.antialias import Quarter
from ...networks.blocks import DownBlock, UpBlock
from ...networks.keypoints import expected_position, heat_maps

KEYPOINTS = 15
_DOWN = (3, 64, 128, 256, 512, 1024)
_UP = (1024, 512, 256, 128, 64, 32)
_DEPTH = 16


class CanonicalKeypoints(NamedTuple):
    """Keypoints of B heads as if seen from the front.

    value: (B, 15, 3), x, y, z in −1..1.
    logits: (B, 15, 16, 64, 64), heat maps before temperature and softmax, which the audio network reads.
    """

    value: Tensor
    logits: Tensor


class _Predictor(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        pairs = pairwise(_DOWN)
        self.down_blocks = nn.Sequential(OrderedDict((f"down{i}", DownBlock(a, b)) for i, (a, b) in enumerate(pairs)))
        self.conv = nn.Conv2d(_DOWN[-1], _UP[0] * _DEPTH, 1)
        pairs = pairwise(_UP)
        self.up_blocks = nn.Sequential(
            OrderedDict((f"up{i}", UpBlock(a, b, dimensions=3)) for i, (a, b) in enumerate(pairs))
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(self.down_blocks(x))
        return self.up_blocks(y.unflatten(1, (_UP[0], _DEPTH)))


class KeypointDetector(nn.Module):
    """Finds keypoints: (B, 3, 256, 256) RGB in 0..1 → :class:`CanonicalKeypoints`."""

    def __init__(self) -> None:
        super().__init__()
        self.predictor = _Predictor()
        self.kp = nn.Conv3d(_UP[-1], KEYPOINTS, 3, padding=1)
        self.down = Quarter(3)

    def forward(self, images: Tensor) -> CanonicalKeypoints:
        logits = self.kp(self.predictor(self.down(images)))
        return CanonicalKeypoints(value=expected_position(heat_maps(logits)), logits=logits)
