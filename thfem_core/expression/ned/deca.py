"""DECA's networks (Feng et al., SIGGRAPH 2021): from a face crop to the parameters and details of a 3-D face."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

INPUT_SIDE = 224
DETAIL = 128  # numbers of the detail code
_COUNTS = (100, 50, 50, 6, 3, 27)  # shape, texture, expression, pose, camera, light
_DETAIL_EPS = 0.8  # of the published decoder's batch norms: a slip of theirs that its weights are trained with


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FaceCode:
    """Parameters of 3-D faces, one row per frame.

    shape: Identity coefficients of FLAME (B, 100).
    expression: Expression coefficients of FLAME (B, 50).
    pose: Head and jaw rotation as axis-angle (B, 6), the jaw last; entry 3 opens it.
    camera: Scale and translation of a weak-perspective camera (B, 3).
    detail: Code of the wrinkles (B, 128).
    """

    shape: Tensor
    expression: Tensor
    pose: Tensor
    camera: Tensor
    detail: Tensor


class _Bottleneck(nn.Module):
    """ResNet's bottleneck; the stride sits in its 3 × 3 convolution."""

    def __init__(self, inputs: int, inner: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * inner
        self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = (
            nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))
            if stride > 1 or inputs != outputs
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return torch.relu(self.bn3(self.conv3(y)) + shortcut)


class _ResNet50(nn.Module):
    """ResNet-50 without its classifier: (B, 3, 224, 224) → (B, 2048)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        inputs = 64
        for number, (inner, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=1):
            strides = [1 if number == 1 else 2] + [1] * (count - 1)
            blocks = []
            for stride in strides:
                blocks.append(_Bottleneck(inputs, inner, stride))
                inputs = 4 * inner
            setattr(self, f"layer{number}", nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
        return x.mean(dim=(2, 3))


class Encoder(nn.Module):
    """Read numbers from a face crop."""

    def __init__(self, outputs: int) -> None:
        """Build the encoder.

        Args:
            outputs: 236 parameters for the coarse face, 128 for its details.
        """
        super().__init__()
        self.encoder = _ResNet50()
        self.layers = nn.Sequential(nn.Linear(2048, 1024), nn.ReLU(), nn.Linear(1024, outputs))

    def forward(self, image: Tensor) -> Tensor:
        """RGB (B, 3, 224, 224) in 0..1, not standardised → (B, outputs)."""
        numbers: Tensor = self.layers(self.encoder(image))
        return numbers


class DetailDecoder(nn.Module):
    """Draw the displacement of the skin from jaw, expression and detail code."""

    def __init__(self) -> None:
        super().__init__()
        self.l1 = nn.Sequential(nn.Linear(3 + 50 + DETAIL, 128 * 8 * 8))
        layers: list[nn.Module] = [nn.BatchNorm2d(128)]
        inputs = 128
        for width in (128, 64, 64, 32, 16):
            layers += [
                nn.Upsample(scale_factor=2, mode="bilinear"),
                nn.Conv2d(inputs, width, 3, padding=1),
                nn.BatchNorm2d(width, eps=_DETAIL_EPS),
                nn.LeakyReLU(0.2),
            ]
            inputs = width
        self.conv_blocks = nn.Sequential(*layers, nn.Conv2d(inputs, 1, 3, padding=1), nn.Tanh())

    def forward(self, code: FaceCode) -> Tensor:
        """Displacements in uv space (B, 1, 256, 256), in units of the FLAME model."""
        numbers = torch.cat([code.pose[:, 3:], code.expression, code.detail], dim=1)
        displacement: Tensor = self.conv_blocks(self.l1(numbers).unflatten(1, (128, 8, 8)))
        return 0.01 * displacement


class Deca(nn.Module):
    """The three networks under their names in ``deca_model.tar``."""

    def __init__(self) -> None:
        super().__init__()
        self.E_flame = Encoder(sum(_COUNTS))
        self.E_detail = Encoder(DETAIL)
        self.D_detail = DetailDecoder()

    @torch.inference_mode()
    def encode(self, image: Tensor) -> FaceCode:
        """Read faces.

        Args:
            image: RGB crops (B, 3, 224, 224) in 0..1, as :func:`.deca_crop.deca_crop` makes them.

        Returns:
            Their parameters.
        """
        shape, _, expression, pose, camera, _ = self.E_flame(image).split(_COUNTS, dim=1)
        return FaceCode(shape=shape, expression=expression, pose=pose, camera=camera, detail=self.E_detail(image))
