"""EfficientFace as a judge."""

from __future__ import annotations

import numpy as np
import torch

from ....options import Options
from ....registry import Resources
from ..crops import upright_square
from ..loading import as_batch, device_of, emotion_order, load_network, per_channel
from ..protocol import FaceFeatures
from .back_end import BACK_END, EFFICIENTFACE
from .network import FEATURES, LABELS, MEAN, STD, EfficientFace

_SIZE, _SCALE, _DROP = 224, 1.15, -0.03  # RAF-DB pictures hold the face from above the brows to the chin, little more


class EfficientFaceExpression:
    """The pooled features (1024, all ≥ 0, so cosines lie in 0..1) of the RAF-DB checkpoint.

    Which layer and which of the two public checkpoints the paper compares is not published; this is the last layer
    before the classes.
    """

    spec, width = BACK_END, FEATURES

    def __init__(self, network: EfficientFace, device: torch.device) -> None:
        self._network, self._device = network, device
        self._mean, self._std = per_channel(MEAN, device), per_channel(STD, device)
        self._order = emotion_order(LABELS)

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        return upright_square(picture, landmarks, _SIZE, scale=_SCALE, drop=_DROP)

    @torch.inference_mode()
    def features(self, crops: np.ndarray) -> FaceFeatures:
        vectors = self._network.features((as_batch(crops, self._device) / 255.0 - self._mean) / self._std)
        emotions = self._network.fc(vectors).softmax(dim=1)[:, self._order]
        return FaceFeatures(vectors=vectors.cpu().numpy(), emotions=emotions.cpu().numpy())


def load_efficientface(options: Options, resources: Resources) -> EfficientFaceExpression:
    """Load the official weights, which the user places by hand.

    Raises:
        WeightsError: They are missing (the message says where to get them and where to put them), or damaged.
    """
    return EfficientFaceExpression(load_network(EfficientFace, EFFICIENTFACE, resources), device_of(resources))
