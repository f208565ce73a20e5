"""The expression network of face-api.js as an offline expression measure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ...errors import WeightsError
from ...networks.face_api import LABELS, FaceApiExpression
from ...progress import Progress, silent
from ..crops import upright_square
from ..feature_extractor import FaceFeatures, as_batch, emotion_order
from .offline_files import FACE_API, local_file

_SIZE, _SCALE, _DROP = 112, 1.0, -0.04
WIDTH = 256


class FaceApi:
    """Seven emotions; the vector is the pooled last layer, mean over the face and its mirror image."""

    name, title, kind, official, width = "face-api", "face-api", "expression", False, WIDTH

    def __init__(self, network: FaceApiExpression, device: torch.device) -> None:
        self._network, self._device, self._order = network.to(device).eval(), device, emotion_order(LABELS)

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        return upright_square(picture, landmarks, _SIZE, scale=_SCALE, drop=_DROP)

    @torch.inference_mode()
    def features(self, crops: np.ndarray) -> FaceFeatures:
        batch = as_batch(crops, self._device)
        vectors = [self._network.features(view) for view in (batch, batch.flip(3))]
        emotions = [self._network.classify(view).softmax(dim=1)[:, self._order] for view in vectors]
        return FaceFeatures(
            vectors=torch.stack(vectors).mean(dim=0).cpu().numpy(),
            emotions=torch.stack(emotions).mean(dim=0).cpu().numpy(),
        )


def load_face_api(
    *, device: torch.device, folders: Sequence[Path] = (), download: bool = True, progress: Progress = silent
) -> FaceApi:
    """Weights of face-api.js, two files. Raises WeightsError where one is missing or another file."""
    shard, layout = (local_file(FACE_API, role, folders) for role in ("shard", "layout"))
    try:
        network = FaceApiExpression.from_files(shard, layout)
    except (ValueError, KeyError) as error:
        raise WeightsError(f"{shard} and {layout} are not the files of {FACE_API.link} ({error})") from None
    return FaceApi(network, device)
