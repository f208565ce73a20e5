"""EfficientFace: the expression features of CSIM, and seven emotions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ...networks.efficientface import FEATURES, LABELS, NORMALISATION, EfficientFace
from ...progress import Progress, silent
from ...weights.manifest import find_model
from ...weights.store import locate_file
from ..crops import upright_square
from ..feature_extractor import FaceFeatures, as_batch, emotion_order, filled_network

MODEL = "efficientface-rafdb"
_SIZE, _SCALE, _DROP = 224, 1.15, -0.03  # RAF-DB pictures hold the face from above the brows to the chin, little more


class EfficientFaceExpression:
    """The 1024 pooled features (≥ 0, so cosines lie in 0..1) of the RAF-DB checkpoint. Which layer and which of the two
    public checkpoints the paper compares is not published; this is the last layer before the classes."""

    name, title, kind, official, width = "efficientface", "EfficientFace (RAF-DB)", "expression", True, FEATURES

    def __init__(self, network: EfficientFace, device: torch.device) -> None:
        self._network, self._device = network, device
        mean, std = NORMALISATION["raf-db"]
        self._mean = torch.tensor(mean, device=device)[:, None, None]
        self._std = torch.tensor(std, device=device)[:, None, None]
        self._order = emotion_order(LABELS)

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        return upright_square(picture, landmarks, _SIZE, scale=_SCALE, drop=_DROP)

    @torch.inference_mode()
    def features(self, crops: np.ndarray) -> FaceFeatures:
        vectors = self._network.features((as_batch(crops, self._device) / 255.0 - self._mean) / self._std)
        emotions = self._network.fc(vectors).softmax(dim=1)[:, self._order]
        return FaceFeatures(vectors=vectors.cpu().numpy(), emotions=emotions.cpu().numpy())


def load_efficientface(
    *, device: torch.device, folders: Sequence[Path] = (), download: bool = True, progress: Progress = silent
) -> EfficientFaceExpression:
    """Official weights, which the user places by hand. Raises WeightsError that says where from and where to."""
    path = locate_file(MODEL, folders=folders, download=download, progress=progress)
    return EfficientFaceExpression(filled_network(EfficientFace, find_model(MODEL), path, device), device)
