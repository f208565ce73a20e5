"""Fitting action units to tracked landmarks: what a person's face already does.

The mean shape of a clip is explained as identity plus non-negative action units, so no neutral clip is needed; the
motion around the mean as a linear combination of action units.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import lsq_linear

from ...face.mesh.basis import load_basis

# K units that are fitted, in the order of all (K,) arrays of this package. Gaze and one-sided units say nothing about
# an emotion and stay part of what the fit does not explain.
ACTION_UNITS = (
    *("browDown", "browInnerUp", "browOuterUp", "cheekRaiser", "cheekSquint", "eyeBlink", "eyeSquint", "eyeWide"),
    *("jawOpen", "mouthClose", "mouthDimple", "mouthFrown", "mouthFunnel", "mouthLowerDown", "mouthPress"),
    *("mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmile"),
    *("mouthStretch", "mouthUpperUp", "noseSneer", "cheekPuff", "jawForward"),
)
# Standard deviations of a unit's activation and of what the fit leaves unexplained of a shape (face units).
ACTIVATION_SPREAD = 0.35
RESIDUAL_SPREAD = 1.6
# Neighbouring points err together: the residual counts as if only so many points had been measured.
INDEPENDENT_POINTS = 60
# Depth is the least certain coordinate of a fitted mesh.
DEPTH_WEIGHT = 0.5


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class MeanExpression:
    """What a face shows on average over a clip.

    activation: (K,) activations of the mean shape, 0 or more.
    shape: (478, 3) mean shape on the canonical head, face units.
    """

    activation: np.ndarray
    shape: np.ndarray


@lru_cache(maxsize=1)
def _design() -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Columns of the least-squares problem over the D = 478 · 3 coordinates.

    Returns:
        Action units (D, K), identity modes (D, M), weights of the coordinates (D,), precision of a coordinate.
    """
    basis = load_basis()
    weight = np.ones_like(basis.canonical)
    weight[:, 2] = DEPTH_WEIGHT
    weight[468:] = 0.0  # irises
    flat = weight.ravel()
    units = np.stack([basis.action_units[basis.index(name)].ravel() for name in ACTION_UNITS], axis=1)
    modes = basis.identity_modes.reshape(len(basis.identity_modes), -1).T
    precision = INDEPENDENT_POINTS / np.count_nonzero(weight) * 3 / RESIDUAL_SPREAD**2
    return units * flat[:, None], modes * flat[:, None], flat, precision


def fit_mean_expression(shapes: np.ndarray) -> MeanExpression:
    """Explain the mean of a clip's shapes by identity and action units, both at once.

    Maximum a posteriori with normal priors on identity and activations, the latter 0 or more.

    Args:
        shapes: (T, 478, 3) on the canonical head, face units.

    Returns:
        Mean activations and shape.
    """
    units, modes, weight, precision = _design()
    mean_shape = shapes.mean(axis=0)
    residual = (mean_shape - load_basis().canonical).ravel() * weight
    columns = np.sqrt(precision) * np.concatenate([modes, units], axis=1)
    prior = np.concatenate([np.ones(modes.shape[1]), np.full(units.shape[1], 1 / ACTIVATION_SPREAD)])
    # The normal equations are small (M + K unknowns): their square root gives the same minimum as all D rows.
    root = np.linalg.cholesky(columns.T @ columns + np.diag(prior**2))
    target = np.linalg.solve(root, columns.T @ (np.sqrt(precision) * residual))
    lowest = np.concatenate([np.full(modes.shape[1], -np.inf), np.zeros(units.shape[1])])
    solution = lsq_linear(root.T, target, (lowest, np.inf), method="bvls").x
    return MeanExpression(activation=solution[modes.shape[1] :], shape=mean_shape)


def fit_unit_motion(shapes: np.ndarray, mean: MeanExpression) -> np.ndarray:
    """Explain motion around a clip's mean shape by action units, as a ridge regression.

    Args:
        shapes: (T, 478, 3) on the canonical head, face units.
        mean: Of the same clip.

    Returns:
        (T, K) activations relative to the mean, of either sign.
    """
    units, _, weight, precision = _design()
    ridge = np.eye(units.shape[1]) * ACTIVATION_SPREAD**-2
    solve = np.linalg.solve(precision * units.T @ units + ridge, precision * units.T)
    motion = (shapes - mean.shape).reshape(len(shapes), -1) * weight
    return motion @ solve.T
