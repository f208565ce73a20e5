"""BlazeFace, full range: finds faces within about five metres of a camera in a 192 × 192 picture.

Source: the network of ``face_detection_full_range_sparse.tflite`` (MediaPipe 0.10.21, Apache-2.0): a ladder of
bottleneck blocks down to stride 32 and up again to stride 4, with one anchor in each cell of a 48 × 48 grid.
"""

from __future__ import annotations

from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from .anchors import VALUES, AnchorGrid, DetectorSpec
from .blocks import Pointwise

FULL_RANGE = DetectorSpec(input_side=192, anchors=(AnchorGrid(stride=4, per_cell=1),), min_score=0.6)


class _Separable(nn.Module):
    """Depthwise 3×3 and 1×1 convolution."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(in_channels, in_channels, 3, stride=stride, padding=1, groups=in_channels)
        self.pointwise = Pointwise(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


class DoubleBlazeBlock(nn.Module):
    """Two separable convolutions through a bottleneck, added to the input.

    A block that halves the resolution has no such sum of its own.
    """

    def __init__(self, in_channels: int, bottleneck: int, out_channels: int, *, stride: int = 1) -> None:
        super().__init__()
        self.squeeze = _Separable(in_channels, bottleneck, stride=stride)
        self.expand = _Separable(bottleneck, out_channels)
        self._has_skip = stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y = self.expand(F.relu_(self.squeeze(x)))
        return F.relu_(y.add_(x) if self._has_skip else y)


def _stage(in_channels: int, bottleneck: int, out_channels: int, repeats: int) -> nn.Sequential:
    blocks = [DoubleBlazeBlock(in_channels, bottleneck, out_channels, stride=2)] if in_channels != out_channels else []
    blocks += [DoubleBlazeBlock(out_channels, bottleneck, out_channels) for _ in range(repeats)]
    return nn.Sequential(*blocks)


class _Projection(nn.Sequential):
    """1×1 convolution and ReLU, between the way down and the way up."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(Pointwise(in_channels, out_channels), nn.ReLU(inplace=True))


class _Unfolded(nn.Module):
    """Values per cell of the input: a strided layer predicts those of 2 × 2 cells at once."""

    def __init__(self, in_channels: int, values: int) -> None:
        super().__init__()
        self.pointwise = Pointwise(in_channels, 4 * values)
        self.depthwise = nn.Conv2d(4 * values, 4 * values, 3, stride=2, padding=1, groups=4 * values)

    def forward(self, x: Tensor) -> Tensor:
        y = self.depthwise(self.pointwise(x))
        return rearrange(y, "b (dy dx value) h w -> b (h dy w dx) value", dy=2, dx=2)


class FullRangeBlazeFace(nn.Module):
    """(B, 3, 192, 192) in -1..1 → scores (B, 2304) before the sigmoid, boxes (B, 2304, 16) in input pixels,
    relative to the anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, stride=2, padding=1), nn.ReLU(inplace=True))
        self.stride2 = _stage(32, 8, 32, 2)
        self.stride4 = _stage(32, 16, 64, 2)
        self.lateral4 = _Projection(64, 48)
        self.stride8 = _stage(64, 32, 128, 2)
        self.lateral8 = _Projection(128, 64)
        self.stride16 = _stage(128, 48, 192, 2)
        self.lateral16 = _Projection(192, 96)
        self.stride32 = _stage(192, 96, 384, 3)
        self.up16 = _Projection(384, 96)
        self.merged16 = _stage(96, 48, 96, 2)
        self.up8 = _Projection(96, 64)
        self.merged8 = _stage(64, 32, 64, 2)
        self.up4 = _Projection(64, 48)
        self.merged4 = _stage(48, 24, 48, 1)
        self.scores = _Unfolded(48, 1)
        self.boxes = _Unfolded(48, VALUES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.stride4(self.stride2(self.stem(images)))
        middle = self.stride8(fine)
        coarse = self.stride16(middle)
        up = self.merged16(self.lateral16(coarse) + _doubled(self.up16(self.stride32(coarse))))
        up = self.merged8(self.lateral8(middle) + _doubled(self.up8(up)))
        up = self.merged4(self.lateral4(fine) + _doubled(self.up4(up)))
        return self.scores(up)[..., 0], self.boxes(up)


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
