"""Which emotion a face shows, from its mesh alone: how far its mean shape lies from a neutral one towards each preset.

A rule, without weights. Far is what exceeds the differences between neutral people, which are those of the face basis:
identities, habits of speech, and errors of the fitted mesh. It gives a reference clip's expression its folds and its
typical action units, where the mesh of a talking face is too coarse to show them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...face.mesh.basis import load_basis
from ..request import EMOTIONS, Emotion
from .action_units import ACTION_UNITS, MeanExpression
from .clip_expression import neutral_bias
from .presets import preset_units

# Standard deviations among people who show nothing: of each action unit's mean, and of a landmark for no reason that
# the basis knows (face units; much, since neighbouring points err together).
HABIT_SPREAD = 0.1
NOISE = 6.0
SHOWN = 3.0  # a shown emotion lies so many standard deviations from neutral


@lru_cache(maxsize=1)
def _matched_filters() -> tuple[np.ndarray, np.ndarray]:
    """Neutral face (936,), and the direction to each emotion but neutral (6, 936) in which people differ by 1."""
    basis = load_basis()
    units = _flat(basis.action_units[[basis.index(name) for name in ACTION_UNITS]])
    people = np.concatenate([_flat(basis.identity_modes), HABIT_SPREAD * units])
    covariance = people.T @ people + NOISE**2 * np.eye(people.shape[1])
    presets = np.stack([preset_units(emotion) for emotion in EMOTIONS[1:]]) @ units
    filters = np.linalg.solve(covariance, presets.T).T
    filters /= np.sqrt((filters * presets).sum(axis=1, keepdims=True))
    return _flat(basis.canonical) + neutral_bias() @ units, filters


def _flat(points: np.ndarray) -> np.ndarray:
    """(..., 478, 3) → (..., 936): irises are left out, and depth, which a fitted mesh only guesses."""
    return points[..., :468, :2].astype(np.float64).reshape(*points.shape[:-2], -1)


def recognise(expression: MeanExpression) -> dict[Emotion, float]:
    """Tell which emotion a face shows.

    Args:
        expression: Mean expression over a clip.

    Returns:
        Posterior probability of each of the seven emotions under equal priors.
    """
    neutral, filters = _matched_filters()
    distance = filters @ (_flat(expression.shape) - neutral)
    score = np.append(0.0, SHOWN * distance - SHOWN**2 / 2)  # log likelihoods, neutral's is 0
    likelihood = np.exp(score - score.max())
    return dict(zip(EMOTIONS, map(float, likelihood / likelihood.sum()), strict=True))
