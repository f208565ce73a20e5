"""MobileFaceNet as a judge."""

from __future__ import annotations

import numpy as np
import torch

from ....options import Options
from ....registry import Resources
from ..crops import arcface_square
from ..loading import as_batch, device_of, load_network, per_channel
from ..protocol import FaceFeatures
from .back_end import BACK_END, MOBILEFACENET
from .network import FEATURES, MEAN, STD, MobileFaceNet


class MobileFaceNetIdentity:
    """Features (128) of the aligned 112² crop."""

    spec, width = BACK_END, FEATURES

    def __init__(self, network: MobileFaceNet, device: torch.device) -> None:
        self._network, self._device = network, device
        self._mean, self._std = per_channel(MEAN, device), per_channel(STD, device)

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        return arcface_square(picture, landmarks)

    @torch.inference_mode()
    def features(self, crops: np.ndarray) -> FaceFeatures:
        batch = as_batch(crops, self._device) / 255.0
        return FaceFeatures(vectors=self._network((batch - self._mean) / self._std).cpu().numpy())


def load_mobilefacenet(options: Options, resources: Resources) -> MobileFaceNetIdentity:
    """Load the weights that the user placed.

    Raises:
        WeightsError: The file is missing or another one.
    """
    return MobileFaceNetIdentity(load_network(MobileFaceNet, MOBILEFACENET, resources), device_of(resources))
