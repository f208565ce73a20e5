"""LivePortrait's motion extractor: keypoints, head pose and expression of a face.

A ConvNeXt V2 (Woo et al., CVPR 2023). Attribute names are those of the published checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

KEYPOINTS = 21
BINS = 66
_EPSILON = 1e-6


class RawMotion(NamedTuple):
    """What the network says of N faces; :func:`.keypoints.face_motion` makes geometry of it.

    pitch, yaw, roll: (N, 66) logits over bins of three degrees.
    translation: (N, 3).
    expression: (N, 63), x, y, z of each keypoint in turn.
    scale: (N, 1).
    canonical: (N, 63), the keypoints without pose and expression.
    """

    pitch: Tensor
    yaw: Tensor
    roll: Tensor
    translation: Tensor
    expression: Tensor
    scale: Tensor
    canonical: Tensor


class _ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of (N, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class _ResponseNorm(nn.Module):
    """Global response normalisation of (N, H, W, C): channels compete for contrast. In float32."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, 1, 1, channels))
        self.beta = nn.Parameter(torch.zeros(1, 1, 1, channels))

    def forward(self, x: Tensor) -> Tensor:
        energy = torch.linalg.vector_norm(x.float(), dim=(1, 2), keepdim=True)
        relative = energy / (energy.mean(dim=-1, keepdim=True) + _EPSILON)
        return self.gamma * (x * relative.to(x.dtype)) + self.beta + x


class _Block(nn.Module):
    """x + a depthwise 7 × 7 convolution, then a two-layer network per pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=_EPSILON)
        self.pwconv1 = nn.Linear(channels, 4 * channels)
        self.grn = _ResponseNorm(4 * channels)
        self.pwconv2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.pwconv1(self.norm(self.dwconv(x).movedim(1, -1)))
        return x + self.pwconv2(self.grn(nn.functional.gelu(y))).movedim(-1, 1)


class _Detector(nn.Module):
    def __init__(self, widths: Sequence[int], depths: Sequence[int]) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, widths[0], 4, stride=4), _ChannelNorm(widths[0], eps=_EPSILON))
        halvings = (
            nn.Sequential(_ChannelNorm(a, eps=_EPSILON), nn.Conv2d(a, b, 2, stride=2)) for a, b in pairwise(widths)
        )
        self.downsample_layers = nn.ModuleList([stem, *halvings])
        self.stages = nn.ModuleList(
            nn.Sequential(*(_Block(width) for _ in range(depth))) for width, depth in zip(widths, depths, strict=True)
        )
        self.norm = nn.LayerNorm(widths[-1], eps=_EPSILON)
        self.fc_kp = nn.Linear(widths[-1], 3 * KEYPOINTS)
        self.fc_scale = nn.Linear(widths[-1], 1)
        self.fc_pitch = nn.Linear(widths[-1], BINS)
        self.fc_yaw = nn.Linear(widths[-1], BINS)
        self.fc_roll = nn.Linear(widths[-1], BINS)
        self.fc_t = nn.Linear(widths[-1], 3)
        self.fc_exp = nn.Linear(widths[-1], 3 * KEYPOINTS)


class MotionExtractor(nn.Module):
    """Pictures (N, 3, 256, 256) RGB in 0..1 → :class:`RawMotion`."""

    def __init__(self, *, widths: Sequence[int] = (96, 192, 384, 768), depths: Sequence[int] = (3, 3, 9, 3)) -> None:
        super().__init__()
        self.detector = _Detector(widths, depths)

    def forward(self, images: Tensor) -> RawMotion:
        net, x = self.detector, images
        for halving, stage in zip(net.downsample_layers, net.stages, strict=True):
            x = stage(halving(x))
        features = net.norm(x.mean(dim=(2, 3)))
        heads = (net.fc_pitch, net.fc_yaw, net.fc_roll, net.fc_t, net.fc_exp, net.fc_scale, net.fc_kp)
        return RawMotion(*(head(features).float() for head in heads))
