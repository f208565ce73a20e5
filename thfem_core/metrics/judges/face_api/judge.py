"""The expression network of face-api.js as a judge."""

from __future__ import annotations

import numpy as np
import torch

from ....errors import WeightsError
from ....options import Options
from ....registry import Resources
from ....weights.store import locate
from ..crops import upright_square
from ..loading import as_batch, device_of, emotion_order
from ..protocol import FaceFeatures
from .back_end import BACK_END, FACE_API
from .network import FEATURES, LABELS, FaceApiExpression

_SIZE, _SCALE, _DROP = 112, 1.0, -0.04  # forehead to chin


class FaceApi:
    """Seven emotions; the vector (256) is the pooled last layer, mean over the face and its mirror image."""

    spec, width = BACK_END, FEATURES

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


def load_face_api(options: Options, resources: Resources) -> FaceApi:
    """Load the two files of face-api.js that the user placed.

    Raises:
        WeightsError: A file is missing or another one.
    """
    files = locate(FACE_API, folders=resources.folders, progress=resources.progress)
    try:
        network = FaceApiExpression.from_files(files["shard"], files["layout"])
    except (ValueError, KeyError) as error:
        raise WeightsError(
            f"{files['shard']} and {files['layout']} are not the files of {FACE_API.link} ({error})"
        ) from None
    return FaceApi(network, device_of(resources))
