"""Which emotion a face shows, from its mesh alone: a linear discriminant on the mean shape of a clip.

Trained by training/train_expression_reader.py; used to give a reference clip's expression its folds and its
typical action units, where the mesh of a talking face is too coarse to show them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...weights.reading import embedded_tensors
from ..request import EMOTIONS, Emotion
from .action_units import ClipUnits

DEPTH_WEIGHT = 0.4
# Unit activations are of the order .3, whitened shape components of the order 1.
UNIT_WEIGHT = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpressionReader:
    """mean: (1404,) weighted mean shape; projection: (K, 1404) whitened components; weight: (7, K + units) and
    bias: (7,) of the discriminant, in the order of EMOTIONS."""

    mean: np.ndarray
    projection: np.ndarray
    weight: np.ndarray
    bias: np.ndarray


def shape_vector(mean_shape: np.ndarray) -> np.ndarray:
    """(1404,) of a canonical-pose shape (478, 3), face units: irises left out, depth weighted down."""
    return (mean_shape[:468] * [1.0, 1.0, DEPTH_WEIGHT]).ravel()


def features(units: ClipUnits, *, mean: np.ndarray, projection: np.ndarray) -> np.ndarray:
    """(K + units,) what the discriminant looks at."""
    return np.concatenate([projection @ (shape_vector(units.mean_shape) - mean), UNIT_WEIGHT * units.mean])


@lru_cache(maxsize=1)
def load_reader() -> ExpressionReader:
    """The embedded reader (CC BY-NC 4.0). Raises WeightsError if the file is not there."""
    tensors, _ = embedded_tensors("expression_reader.safetensors", maker="training/train_expression_reader.py")
    return ExpressionReader(**{name: tensor.double().numpy() for name, tensor in tensors.items()})


def recognise(units: ClipUnits) -> dict[Emotion, float]:
    """Posterior probability of each of the seven emotions, equal priors."""
    reader = load_reader()
    score = reader.weight @ features(units, mean=reader.mean, projection=reader.projection) + reader.bias
    likelihood = np.exp(score - score.max())
    return dict(zip(EMOTIONS, map(float, likelihood / likelihood.sum()), strict=True))
