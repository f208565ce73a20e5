"""The network of ``facial-emotion-recognition==0.3.4`` (MIT), rebuilt: 48² gray, 2.7 M parameters."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from thfem_core.metrics.judges.crops import fer_views
from thfem_core.metrics.judges.loading import device_of, emotion_order
from thfem_core.metrics.judges.protocol import FaceFeatures
from thfem_core.options import Options
from thfem_core.registry import Resources
from thfem_core.weights.reading import load_strict, safe_load
from thfem_core.weights.store import locate_file

from .back_end import BACK_END, SMALL_VGG

LABELS = ("angry", "disgusted", "fear", "happy", "sad", "surprised", "neutral")
SIZE, FEATURES = 48, 256


class SmallVgg(nn.Module):
    """(N, 1, 48, 48) in −1..1 → (N, 7) logits in the order of :data:`LABELS`."""

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 32, 64, 128, 256)
        for i, (before, after) in enumerate(pairwise(widths), start=1):
            stage = nn.Sequential(
                nn.ReflectionPad2d(1), nn.Conv2d(before, after, 3, stride=1 if i == 1 else 2), nn.BatchNorm2d(after)
            )
            self.add_module(f"conv_{i}", stage)
        self.linear = nn.Sequential(nn.Linear(256 * 6 * 6, FEATURES), nn.ReLU(), nn.Linear(FEATURES, len(LABELS)))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 256) ≥ 0: what the last layer looks at."""
        for i in range(1, 5):
            x = self.get_submodule(f"conv_{i}")(x).relu()
        vectors: torch.Tensor = self.linear[:2](x.flatten(1))
        return vectors

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.linear[2](self.features(x))
        return logits


class SmallVggExpression:
    """Seven emotions; emotions and vector are means over four views of the face."""

    spec, width = BACK_END, FEATURES

    def __init__(self, network: SmallVgg, device: torch.device) -> None:
        self._network, self._device, self._order = network.to(device).eval(), device, emotion_order(LABELS)

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        return fer_views(picture, landmarks, SIZE)

    @torch.inference_mode()
    def features(self, crops: np.ndarray) -> FaceFeatures:
        batch = torch.from_numpy(crops).to(self._device).flatten(0, 1)[:, None].float() / 127.5 - 1.0
        vectors = self._network.features(batch)
        emotions = self._network.linear[2](vectors).softmax(dim=1)[:, self._order]
        over_views = [values.unflatten(0, crops.shape[:2]).mean(dim=1).cpu().numpy() for values in (vectors, emotions)]
        return FaceFeatures(vectors=over_views[0], emotions=over_views[1])


def load_small_vgg(options: Options, resources: Resources) -> SmallVggExpression:
    """Load the checkpoint of the package.

    Raises:
        WeightsError: The file is missing or another one.
    """
    path = locate_file(SMALL_VGG, folders=resources.folders, progress=resources.progress)
    network = SmallVgg()
    load_strict(network, safe_load(path)["network"], what=f"{SMALL_VGG.name} ({path})")
    return SmallVggExpression(network, device_of(resources))
