"""Reading action units from tracked landmarks: what the person's face already does.

A clip's mean shape is explained as identity plus non-negative action units (no neutral clip is needed), the motion
around the mean as a linear combination of action units.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...face.mesh.basis import load_basis

# Units that are read; gaze and one-sided units say nothing about an emotion and are left to the residual.
READ_UNITS = (
    *("browDown", "browInnerUp", "browOuterUp", "cheekRaiser", "cheekSquint", "eyeBlink", "eyeSquint", "eyeWide"),
    *("jawOpen", "mouthClose", "mouthDimple", "mouthFrown", "mouthFunnel", "mouthLowerDown", "mouthPress"),
    *("mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmile"),
    *("mouthStretch", "mouthUpperUp", "noseSneer", "cheekPuff", "jawForward"),
)
# Standard deviations of the priors and of the unexplained part of a shape, in face units. Neighbouring points err
# together, so the residual counts as if only INDEPENDENT_POINTS of them had been seen.
UNIT_SCALE = 0.35
RESIDUAL = 1.6
INDEPENDENT_POINTS = 60
DEPTH_WEIGHT = 0.5  # fitted depth is the least certain coordinate


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipUnits:
    """mean: (K,) non-negative unit activations of the mean shape. mean_shape: (478, 3) face units."""

    mean: np.ndarray
    mean_shape: np.ndarray


@lru_cache(maxsize=1)
def _design() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weighted columns of action units (D, K) and identity modes (D, M), and the weights (D,)."""
    basis = load_basis()
    weight = np.ones_like(basis.canonical)
    weight[:, 2] = DEPTH_WEIGHT
    weight[468:] = 0.0
    flat = weight.ravel()
    units = np.stack([basis.action_units[basis.index(name)].ravel() for name in READ_UNITS], axis=1)
    modes = basis.identity_modes.reshape(len(basis.identity_modes), -1).T
    return units * flat[:, None], modes * flat[:, None], flat


def _nonnegative(gram: np.ndarray, target: np.ndarray, start: int, sweeps: int = 400) -> np.ndarray:
    """Minimise ½xᵀGx − tᵀx with x[start:] ≥ 0 by coordinate descent; G is positive definite."""
    x = np.zeros(len(target))
    for _ in range(sweeps):
        before = x.copy()
        for i in range(len(x)):
            step = x[i] + (target[i] - gram[i] @ x) / gram[i, i]
            x[i] = step if i < start else max(0.0, step)
        if np.abs(x - before).max() < 1e-5:
            break
    return x


def read_mean_units(shapes: np.ndarray) -> ClipUnits:
    """Explain the mean of canonical-pose shapes (T, 478, 3), face units, by identity and action units.

    Maximum a posteriori with identity modes ~ N(0, 1) and exponential-like ridge on the activations, all ≥ 0.
    """
    units, modes, weight = _design()
    mean_shape = shapes.mean(axis=0)
    residual = ((mean_shape - load_basis().canonical).ravel()) * weight
    columns = np.concatenate([modes, units], axis=1)
    precision = INDEPENDENT_POINTS / np.count_nonzero(weight) * 3 / RESIDUAL**2
    prior = np.concatenate([np.ones(modes.shape[1]), np.full(units.shape[1], UNIT_SCALE**-2)])
    solution = _nonnegative(
        precision * columns.T @ columns + np.diag(prior), precision * columns.T @ residual, modes.shape[1]
    )
    return ClipUnits(mean=solution[modes.shape[1] :], mean_shape=mean_shape)


def read_unit_motion(shapes: np.ndarray, clip: ClipUnits) -> np.ndarray:
    """(T, K) activations of canonical-pose shapes (T, 478, 3), relative to the clip's mean (ridge solution)."""
    units, _, weight = _design()
    precision = INDEPENDENT_POINTS / np.count_nonzero(weight) * 3 / RESIDUAL**2
    solve = np.linalg.solve(precision * units.T @ units + np.eye(units.shape[1]) * UNIT_SCALE**-2, precision * units.T)
    motion = (shapes - clip.mean_shape).reshape(len(shapes), -1) * weight
    return motion @ solve.T
