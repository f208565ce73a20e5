"""ArcFace r50 as a judge."""

from __future__ import annotations

import numpy as np
import torch

from ....options import Options
from ....registry import Resources
from ..crops import arcface_square
from ..loading import as_batch, device_of, load_network
from ..protocol import FaceFeatures
from .back_end import ARCFACE, BACK_END
from .network import FEATURES, IResNet50


class ArcFace:
    """Raw features (512) of the aligned 112² crop; the five points of the alignment come from the face mesh."""

    spec, width = BACK_END, FEATURES

    def __init__(self, network: IResNet50, device: torch.device) -> None:
        self._network, self._device = network, device

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        return arcface_square(picture, landmarks)

    @torch.inference_mode()
    def features(self, crops: np.ndarray) -> FaceFeatures:
        return FaceFeatures(vectors=self._network(as_batch(crops, self._device) / 127.5 - 1.0).cpu().numpy())


def load_arcface(options: Options, resources: Resources) -> ArcFace:
    """Load the official weights, downloading them if need be.

    Raises:
        WeightsError: They cannot be had, or are damaged.
    """
    return ArcFace(load_network(IResNet50, ARCFACE, resources), device_of(resources))
