"""EAT's head-pose estimator, and what its angles mean to each of its readers."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...networks.blocks import Folds
from .keypoint_detector import KEYPOINTS

BINS = 66
# The published code turns degrees into radians with this; the weights were trained with it.
_PI = 3.14


class HeadPoseEstimate(NamedTuple):
    """Head poses and expressions of N pictures.

    yaw: (N, 66), logits of angle bins.
    pitch: (N, 66), logits of angle bins.
    roll: (N, 66), logits of angle bins.
    translation: (N, 3).
    expression: (N, 45), keypoint offsets.
    """

    yaw: Tensor
    pitch: Tensor
    roll: Tensor
    translation: Tensor
    expression: Tensor

    def bins(self) -> Tensor:
        """Expected bins 0..65 of yaw, pitch and roll: (N, 3)."""
        return expected_bins(self.yaw, self.pitch, self.roll)

    def rows(self, rows: slice | Tensor) -> HeadPoseEstimate:
        """Some of the pictures."""
        return HeadPoseEstimate(*(field[rows] for field in self))


def expected_bins(*angles: Tensor) -> Tensor:
    """Expected bin 0..65 of each of A angles, from logits (N, 66) each: float32 (N, A)."""
    logits = torch.stack(angles, dim=1).float()
    return torch.softmax(logits, dim=2) @ torch.arange(BINS, device=logits.device, dtype=logits.dtype)


def degrees(bins: Tensor) -> Tensor:
    """Bins → degrees of the head's geometry (a frontal head is at bin 33)."""
    return 3.0 * bins - 99.0


def radians(angles: Tensor) -> Tensor:
    """Degrees → radians, with the published code's π."""
    return angles / 180.0 * _PI


def axis_rotations(angles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rotation matrices about single axes, for column vectors.

    Args:
        angles: (N, 3), yaw, pitch, roll in radians.

    Returns:
        Three times (N, 3, 3): about y by yaw, about x by pitch, about z by roll.
    """
    cos, sin = torch.cos(angles), torch.sin(angles)
    one, zero = torch.ones_like(angles[:, 0]), torch.zeros_like(angles[:, 0])

    def matrix(*entries: Tensor) -> Tensor:
        return torch.stack(entries, dim=1).view(-1, 3, 3)

    (cy, cp, cr), (sy, sp, sr) = cos.unbind(1), sin.unbind(1)
    return (
        matrix(cy, zero, sy, zero, one, zero, -sy, zero, cy),
        matrix(one, zero, zero, zero, cp, -sp, zero, sp, cp),
        matrix(cr, -sr, zero, sr, cr, zero, zero, zero, one),
    )


def rotation(angles: Tensor) -> Tensor:
    """Rotation by yaw, pitch, roll (N, 3) in radians: (N, 3, 3), R_x(pitch) · R_y(yaw) · R_z(roll)."""
    yaw, pitch, roll = axis_rotations(angles)
    return pitch @ yaw @ roll


def pose_vector(pose: HeadPoseEstimate) -> Tensor:
    """Describe poses for the audio network, (N, 45); here the bins themselves count as degrees."""
    angles = pose.bins()
    turned = radians(angles)
    matrices = [*axis_rotations(turned), rotation(turned)]
    return torch.cat([angles, turned, *(m.flatten(1) for m in matrices), pose.translation], dim=1)


def place_keypoints(canonical: Tensor, pose: HeadPoseEstimate, expression: Tensor) -> Tensor:
    """Turn, move and deform keypoints.

    Args:
        canonical: (N or 1, 15, 3), keypoints as if seen from the front.
        pose: Head poses of N frames.
        expression: (N, 45), keypoint offsets.

    Returns:
        (N, 15, 3).
    """
    turn = rotation(radians(degrees(pose.bins())))
    placed = canonical.float() @ turn.transpose(1, 2)
    return placed + pose.translation.float()[:, None] + expression.float().view(-1, KEYPOINTS, 3)


class _Bottleneck(nn.Module):
    """1×1, 3×3 (with the stride), 1×1 convolutions around a shortcut; ReLU after the sum."""

    def __init__(self, channels: int, *, stride: int = 1) -> None:
        super().__init__()
        inner = channels // 4
        self.conv1 = nn.Conv2d(channels, inner, 1)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride=stride, padding=1)
        self.conv3 = nn.Conv2d(inner, channels, 1)
        self.norm1 = nn.BatchNorm2d(inner)
        self.norm2 = nn.BatchNorm2d(inner)
        self.norm3 = nn.BatchNorm2d(channels)
        self.folds: Folds = (("conv1", "norm1"), ("conv2", "norm2"), ("conv3", "norm3"))
        if stride != 1:
            self.folds += (("skip", "norm4"),)
            self.skip = nn.Conv2d(channels, channels, 1, stride=stride)
            self.norm4 = nn.BatchNorm2d(channels)
        self._skips = stride != 1

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm1(self.conv1(x)))
        y = torch.relu(self.norm2(self.conv2(y)))
        y = self.norm3(self.conv3(y))
        return torch.relu(y + (self.norm4(self.skip(x)) if self._skips else x))


class HeadPoseEstimator(nn.Module):
    """Estimates head poses: (N, 3, 256, 256) RGB in 0..1 → :class:`HeadPoseEstimate`.

    The layers called ``fc_yaw`` and ``fc_roll`` in the checkpoint estimate roll and yaw.
    """

    folds: ClassVar[Folds] = tuple((f"conv{i}", f"norm{i}") for i in range(1, 6))

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 64, 256, 512, 1024, 2048)
        for number, (a, b) in enumerate(pairwise(widths), start=1):
            first = number == 1
            setattr(self, f"conv{number}", nn.Conv2d(a, b, 7, 2, 3) if first else nn.Conv2d(a, b, 1))
            setattr(self, f"norm{number}", nn.BatchNorm2d(b))
        for number, channels, count in ((1, 256, 3), (3, 512, 3), (5, 1024, 5), (7, 2048, 2)):
            block = nn.Sequential()
            for i in range(count):
                block.add_module(f"b{number}_{i}", _Bottleneck(channels))
            setattr(self, f"block{number}", block)
        for number, channels in ((2, 512), (4, 1024), (6, 2048)):
            setattr(self, f"block{number}", _Bottleneck(channels, stride=2))
        for name, size in (("roll", BINS), ("pitch", BINS), ("yaw", BINS), ("t", 3), ("exp", 3 * KEYPOINTS)):
            setattr(self, f"fc_{name}", nn.Linear(widths[-1], size))

    def forward(self, images: Tensor) -> HeadPoseEstimate:
        layer = self.get_submodule
        x = F.max_pool2d(torch.relu(layer("norm1")(layer("conv1")(images))), 3, 2, 1)
        for number, blocks in ((2, (1,)), (3, (2, 3)), (4, (4, 5)), (5, (6, 7))):
            x = torch.relu(layer(f"norm{number}")(layer(f"conv{number}")(x)))
            for block in blocks:
                x = layer(f"block{block}")(x)
        x = x.mean(dim=(2, 3))
        return HeadPoseEstimate(
            yaw=layer("fc_roll")(x),
            pitch=layer("fc_pitch")(x),
            roll=layer("fc_yaw")(x),
            translation=layer("fc_t")(x),
            expression=layer("fc_exp")(x),
        )
