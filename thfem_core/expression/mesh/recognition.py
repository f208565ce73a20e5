"""Which emotion a face shows, from its mesh alone: a linear discriminant on the mean shape of a clip.

Trained by training/train_expression_reader.py. It gives a reference clip's expression its folds and its typical
action units, where the mesh of a talking face is too coarse to show them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...weights.reading import Shapes, embedded_tensors
from ..request import EMOTIONS, Emotion
from .action_units import ACTION_UNITS, MeanExpression

DEPTH_WEIGHT = 0.4
# Brings activations, of the order .3, to the order of the whitened shape components, 1.
UNIT_WEIGHT = 3.0


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class ExpressionReader:
    """A trained discriminant over C components of the shape and K activations, float64.

    mean: (1404,) weighted mean shape, see :func:`shape_vector`.
    projection: (C, 1404) to whitened components.
    weight: (7, C + K), one row per emotion in the order of EMOTIONS.
    bias: (7,).
    """

    mean: np.ndarray
    projection: np.ndarray
    weight: np.ndarray
    bias: np.ndarray


def shape_vector(shape: np.ndarray) -> np.ndarray:
    """Flatten a shape for the discriminant.

    Args:
        shape: (478, 3) on the canonical head, face units.

    Returns:
        (1404,): irises left out, depth weighted down.
    """
    return (shape[:468] * [1.0, 1.0, DEPTH_WEIGHT]).ravel()


def features(expression: MeanExpression, *, mean: np.ndarray, projection: np.ndarray) -> np.ndarray:
    """Compute what the discriminant looks at.

    Args:
        expression: Of a clip.
        mean: (1404,), see :class:`ExpressionReader`.
        projection: (C, 1404), see :class:`ExpressionReader`.

    Returns:
        (C + K,) shape components and weighted activations.
    """
    components = projection @ (shape_vector(expression.shape) - mean)
    return np.concatenate([components, UNIT_WEIGHT * expression.activation])


# of the shape's components, training/train_expression_reader.py keeps so many
_COMPONENTS = 30
_SHAPES: Shapes = {
    "mean": (1404,),
    "projection": (_COMPONENTS, 1404),
    "weight": (len(EMOTIONS), _COMPONENTS + len(ACTION_UNITS)),
    "bias": (len(EMOTIONS),),
}


@lru_cache(maxsize=1)
def load_reader() -> ExpressionReader:
    """Load the embedded discriminant (CC BY-NC 4.0).

    Raises:
        WeightsError: Its file is missing or damaged.
    """
    file, maker = "expression_reader.safetensors", "training/train_expression_reader.py"
    tensors, _ = embedded_tensors(file, maker=maker, shapes=_SHAPES)
    return ExpressionReader(**{name: tensors[name].double().numpy() for name in _SHAPES})


def recognise(expression: MeanExpression) -> dict[Emotion, float]:
    """Tell which emotion a face shows.

    Args:
        expression: Mean expression over a clip.

    Returns:
        Posterior probability of each of the seven emotions under equal priors.
    """
    reader = load_reader()
    score = reader.weight @ features(expression, mean=reader.mean, projection=reader.projection) + reader.bias
    likelihood = np.exp(score - score.max())
    return dict(zip(EMOTIONS, map(float, likelihood / likelihood.sum()), strict=True))
