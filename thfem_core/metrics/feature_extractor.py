"""What a measuring network must offer, and the registry of those that exist.

Official extractors are the networks of the papers: their numbers compare with published ones. Offline extractors are
stand-ins whose weights can be had without any model hub: their numbers compare only with each other, so the two kinds
never share a table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeVar

import numpy as np
import torch

from ..expression.request import EMOTIONS
from ..registry import Registry
from ..weights.model import Model
from ..weights.reading import load_strict, state_dict

N = TypeVar("N", bound=torch.nn.Module)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FaceFeatures:
    """vectors: (N, D) float32. emotions: (N, 7) probabilities in the order of EMOTIONS, or None."""

    vectors: np.ndarray
    emotions: np.ndarray | None = None


class FeatureExtractor(Protocol):
    """A loaded network. kind: what its vectors describe. width: D. title: name for people."""

    name: str
    title: str
    kind: Literal["identity", "expression"]
    official: bool
    width: int

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """What the network wants of a picture (H, W, 3) uint8 RGB whose face lies at (478, 2|3) pixels; one shape."""
        ...

    def features(self, crops: np.ndarray) -> FaceFeatures:
        """(N, …) crops → features."""
        ...


# name → (*, device, folders=(), download=True, progress=silent) -> FeatureExtractor; raises WeightsError
feature_extractors: Registry[FeatureExtractor] = Registry(
    "feature extractor", package=__package__ or "thfem_core.metrics"
)
feature_extractors.register("arcface", ".extractors.arcface:load_arcface")
feature_extractors.register("efficientface", ".extractors.efficientface:load_efficientface")
feature_extractors.register("mobilefacenet", ".extractors.mobilefacenet:load_mobilefacenet")
feature_extractors.register("dlib", ".extractors.dlib_identity:load_dlib")
feature_extractors.register("face-api", ".extractors.face_api:load_face_api")
feature_extractors.register("mini-xception", ".extractors.mini_xception:load_mini_xception")

OFFICIAL = ("arcface", "efficientface")


def filled_network(make: Callable[[], N], model: Model, path: Path, device: torch.device) -> N:
    """A network with the weights of a checkpoint, ready to run. Raises WeightsError if they do not fit."""
    with torch.device("meta"):  # random initial weights would cost a second, and move the caller's generator
        network = make()
    network.to_empty(device=device)
    load_strict(network, state_dict(path), what=f"{model.name} ({path})")
    return network.eval()


def emotion_order(labels: tuple[str, ...]) -> list[int]:
    """Where each of EMOTIONS stands among a network's labels."""
    return [labels.index(emotion) for emotion in EMOTIONS]


def as_batch(crops: np.ndarray, device: torch.device) -> torch.Tensor:
    """(N, H, W, 3) uint8 → (N, 3, H, W) float32, 0..255."""
    return torch.from_numpy(crops).to(device).permute(0, 3, 1, 2).float()
