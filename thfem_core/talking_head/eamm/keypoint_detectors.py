"""EAMM's 2-D keypoints with the local affine motion around each, from a picture or from predicted features."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from ...networks.antialias import Quarter
from ...networks.hourglass import Hourglass
from ...networks.keypoints import expected_position, heat_maps

KEYPOINTS = 10
FEATURES = 35


class AffineKeypoints(NamedTuple):
    """Keypoints of B pictures, each with the affine motion around it.

    value: (B, 10, 2), x, y in −1..1.
    jacobian: (B, 10, 2, 2), acting on column vectors (x, y).
    """

    value: Tensor
    jacobian: Tensor

    def rows(self, rows: slice | Tensor) -> AffineKeypoints:
        """Some of the pictures."""
        return AffineKeypoints(*(field[rows] for field in self))


class FeatureKeypointDetector(nn.Module):
    """Features (B, 35, 64, 64) → :class:`AffineKeypoints`. In the checkpoint: ``kp_detector_a``.

    The checkpoint also holds an hourglass that nothing runs.
    """

    unused: ClassVar[tuple[str, ...]] = ("predictor", "down")

    def __init__(self) -> None:
        super().__init__()
        self.predictor = Hourglass(3, base=32)
        self.kp = nn.Conv2d(FEATURES, KEYPOINTS, 7)
        self.jacobian = nn.Conv2d(FEATURES, 4 * KEYPOINTS, 7)
        self.down = Quarter(3)

    def heat(self, features: Tensor) -> Tensor:
        """(B, 10, 58, 58) maps that sum to 1."""
        return heat_maps(self.kp(features))

    def read(self, features: Tensor) -> AffineKeypoints:
        """Positions expected under the heat maps, and jacobians averaged by them."""
        heat = self.heat(features)
        parts = self.jacobian(features).unflatten(1, (KEYPOINTS, 4)).float()
        jacobian = torch.einsum("bkhw,bkchw->bkc", heat, parts).view(-1, KEYPOINTS, 2, 2)
        return AffineKeypoints(value=expected_position(heat), jacobian=jacobian)

    def forward(self, features: Tensor) -> AffineKeypoints:
        return self.read(features)


class KeypointDetector(FeatureKeypointDetector):
    """Pictures (B, 3, 256, 256) RGB in 0..1 → :class:`AffineKeypoints`. In the checkpoint: ``kp_detector``."""

    unused: ClassVar[tuple[str, ...]] = ()

    def features(self, images: Tensor) -> Tensor:
        """(B, 35, 64, 64)."""
        return self.predictor(self.down(images))

    def forward(self, images: Tensor) -> AffineKeypoints:
        return self.read(self.features(images))
