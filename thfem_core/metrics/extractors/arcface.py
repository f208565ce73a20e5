"""ArcFace r50: the features of FAD, and the identity cosine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ...networks.iresnet import FEATURES, IResNet50
from ...progress import Progress, silent
from ...weights.manifest import find_model
from ...weights.store import locate_file
from ..crops import arcface_square
from ..feature_extractor import FaceFeatures, as_batch, filled_network

MODEL = "arcface-iresnet50"


class ArcFace:
    """Raw 512-d features of the aligned 112² crop, (x / 255 − 0.5) / 0.5. The five points come from the face mesh."""

    name, title, kind, official, width = "arcface", "ArcFace r50", "identity", True, FEATURES

    def __init__(self, network: torch.nn.Module, device: torch.device) -> None:
        self._network, self._device = network, device

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        return arcface_square(picture, landmarks)

    @torch.inference_mode()
    def features(self, crops: np.ndarray) -> FaceFeatures:
        return FaceFeatures(vectors=self._network(as_batch(crops, self._device) / 127.5 - 1.0).cpu().numpy())


def load_arcface(
    *, device: torch.device, folders: Sequence[Path] = (), download: bool = True, progress: Progress = silent
) -> ArcFace:
    """Official weights, for research only. Raises WeightsError."""
    path = locate_file(MODEL, folders=folders, download=download, progress=progress)
    return ArcFace(filled_network(IResNet50, find_model(MODEL), path, device), device)
