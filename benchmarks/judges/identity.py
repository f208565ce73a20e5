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

from thfem_core.metrics.crops import arcface_square
from thfem_core.metrics.networks.mobilefacenet import MEAN, STD, MobileFaceNet

_MEAN, _STD = torch.tensor(MEAN)[:, None, None], torch.tensor(STD)[:, None, None]


class IdentityJudge(Protocol):
    name: str

    def embed(self, frames: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        """T × (H, W, 3) uint8 and (T, 478, 2|3) → (T, 128) unit vectors, NaN where there is no face."""
        ...


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
            vectors = self._net((batch - _MEAN) / _STD)
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
