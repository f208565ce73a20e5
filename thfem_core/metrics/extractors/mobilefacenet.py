"""MobileFaceNet as an offline identity measure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ...networks.mobilefacenet import FEATURES, MEAN, STD, MobileFaceNet
from ...progress import Progress, silent
from ..crops import arcface_square
from ..feature_extractor import FaceFeatures, as_batch, filled_network
from .offline_files import MOBILEFACENET, local_file


class MobileFaceNetIdentity:
    """128-d features of the aligned 112² crop."""

    name, title, kind, official, width = "mobilefacenet", "MobileFaceNet", "identity", False, FEATURES

    def __init__(self, network: torch.nn.Module, device: torch.device) -> None:
        self._network, self._device = network, device
        self._mean, self._std = (torch.tensor(x, device=device)[:, None, None] for x in (MEAN, STD))

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        return arcface_square(picture, landmarks)

    @torch.inference_mode()
    def features(self, crops: np.ndarray) -> FaceFeatures:
        batch = as_batch(crops, self._device) / 255.0
        return FaceFeatures(vectors=self._network((batch - self._mean) / self._std).cpu().numpy())


def load_mobilefacenet(
    *, device: torch.device, folders: Sequence[Path] = (), download: bool = True, progress: Progress = silent
) -> MobileFaceNetIdentity:
    """Raises WeightsError where the file is missing or another one."""
    path = local_file(MOBILEFACENET, "weights", folders)
    return MobileFaceNetIdentity(filled_network(MobileFaceNet, MOBILEFACENET, path, device), device)
