"""Identity judges: a face embedding per frame, compared by cosine.

Any of: MobileFaceNet (foamliu, Apache-2.0 repository, 128-d; weight file by path) or dlib's ResNet (128-d) out of the
PyPI packages ``dlib-bin`` and ``face_recognition_models``. Cosines of different judges must not be mixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn

from .crops import arcface_square

_IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
_IMAGENET_STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]


class IdentityJudge(Protocol):
    name: str

    def embed(self, frames: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        """T × (H, W, 3) uint8 and (T, 478, 2|3) → (T, 128) unit vectors, NaN where there is no face."""
        ...


class _Depthwise(nn.Module):
    """Depthwise 3×3 (or ``size``), then pointwise, each with its normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.relu6(self.bn1(self.depthwise(x)))
        return nn.functional.relu6(self.bn2(self.pointwise(x)))


class _Bottleneck(nn.Module):
    def __init__(self, before: int, after: int, *, stride: int, expand: int) -> None:
        super().__init__()
        hidden = before * expand
        self.conv = nn.Sequential(
            nn.Sequential(nn.Conv2d(before, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6()),
            nn.Sequential(
                nn.Conv2d(hidden, hidden, 3, stride=stride, padding=1, groups=hidden, bias=False),
                nn.BatchNorm2d(hidden),
                nn.ReLU6(),
            ),
            nn.Conv2d(hidden, after, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.residual = stride == 1 and before == after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x) if self.residual else self.conv(x)


class _GlobalDepthwise(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, groups=channels, bias=False)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.bn(self.depthwise(x))


class MobileFaceNet(nn.Module):
    """(N, 3, 112, 112) RGB, ImageNet-normalised → (N, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(3, 64, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU6())
        self.dw_conv = _Depthwise(64)
        stages = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))
        blocks, width = [], 64
        for expand, after, repeats, stride in stages:
            for i in range(repeats):
                blocks.append(_Bottleneck(width, after, stride=stride if i == 0 else 1, expand=expand))
                width = after
        self.features = nn.Sequential(*blocks)
        self.conv2 = nn.Sequential(nn.Conv2d(128, 512, 1, bias=False), nn.BatchNorm2d(512), nn.ReLU6())
        self.gdconv = _GlobalDepthwise(512)
        self.conv3, self.bn = nn.Conv2d(512, 128, 1), nn.BatchNorm1d(128)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv2(self.features(self.dw_conv(self.conv1(x))))
        return self.bn(self.conv3(self.gdconv(x)).flatten(1))


class MobileFaceNetJudge:
    name = "MobileFaceNet"

    def __init__(self, weights: Path) -> None:
        self._net = MobileFaceNet()
        self._net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        self._net.eval()

    @torch.inference_mode()
    def embed(self, frames: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        result = np.full((len(frames), 128), np.nan, np.float32)
        present = [i for i in range(len(frames)) if np.isfinite(landmarks[i, 0, 0])]
        if present:
            crops = np.stack([arcface_square(frames[i], landmarks[i]) for i in present])
            batch = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255.0
            vectors = self._net((batch - _IMAGENET_MEAN) / _IMAGENET_STD)
            result[present] = nn.functional.normalize(vectors, dim=1).numpy()
        return result


class DlibJudge:
    name = "dlib ResNet"

    def __init__(self) -> None:
        import dlib
        import face_recognition_models

        self._dlib = dlib
        self._net = dlib.face_recognition_model_v1(face_recognition_models.face_recognition_model_location())
        self._shape = dlib.shape_predictor(face_recognition_models.pose_predictor_five_point_model_location())

    def embed(self, frames: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        result = np.full((len(frames), 128), np.nan, np.float32)
        for i, (frame, points) in enumerate(zip(frames, landmarks, strict=True)):
            if np.isfinite(points[0, 0]):
                (x0, y0), (x1, y1) = points[:468, :2].min(axis=0), points[:468, :2].max(axis=0)
                box = self._dlib.rectangle(int(x0), int(y0), int(x1), int(y1))
                vector = np.array(self._net.compute_face_descriptor(frame, self._shape(frame, box)), np.float32)
                result[i] = vector / np.linalg.norm(vector)
        return result


def load_identity_judge(weights: Path | None) -> IdentityJudge | None:
    """MobileFaceNet where its weight file is given, else dlib where installed, else None (no identity column)."""
    if weights is not None:
        return MobileFaceNetJudge(weights)
    try:
        return DlibJudge()
    except ImportError:
        return None


def mean_cosine(source: np.ndarray, output: np.ndarray) -> float:
    """Mean cosine of frame-paired unit embeddings (T, D); NaN if no frame has both."""
    cosine = (source * output).sum(axis=1)
    cosine = cosine[np.isfinite(cosine)]
    return float(cosine.mean()) if cosine.size else float("nan")
