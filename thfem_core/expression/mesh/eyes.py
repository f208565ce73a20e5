"""Lids: the aperture is scaled, so blinks stay blinks; the gaze and the roundness of the iris are left alone."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...face.mesh import topology
from ...face.mesh.basis import load_basis
from ...face.smoothstep import smoothstep

# Relative change of the lid aperture per unit activation.
APERTURE = {"eyeWide": 0.38, "eyeBlink": -0.9, "eyeSquint": -0.16}
# The upper lid's share of an opening and of a closing.
UPPER_OPENS, UPPER_CLOSES = 0.8, 0.6
LID_REACH = 4.0


# Within this distance of the lid lines action units fade out: a cheek pushed over a still lid would fold the mesh.
CALM_REACH = 10.0


@lru_cache(maxsize=1)
def lid_calm() -> np.ndarray:
    """(478,) factor on action-unit fields: 0 on the lid lines, which are moved here instead, 1 away from the eyes."""
    canonical = load_basis().canonical
    lines = [point for line in (*topology.EYE_UPPER, *topology.EYE_LOWER) for point in line]
    distance = np.linalg.norm((canonical[:, None] - canonical[lines][None])[..., :2], axis=2).min(axis=1)
    return smoothstep(distance, 0.0, CALM_REACH)


@lru_cache(maxsize=1)
def _spread() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Interior lid points (L,), their partners on the other lid (L,), and the (478, L) weights that carry the lid
    motion into the skin around, 1 on the lid itself."""
    points, partners = [], []
    for upper, lower in zip(topology.EYE_UPPER, topology.EYE_LOWER, strict=True):
        points += [*upper[1:-1], *lower[1:-1]]
        partners += [*lower[1:-1], *upper[1:-1]]
    canonical = load_basis().canonical
    distance = np.linalg.norm((canonical[:, None] - canonical[points][None])[..., :2], axis=2)
    share = np.exp(-0.5 * (distance / 3.0) ** 2) + 1e-12
    share /= share.sum(axis=1, keepdims=True)
    # The skin above an eye follows the upper lid only, the skin below the lower lid only.
    nearest = distance.min(axis=1)
    weights = share * np.exp(-0.5 * (nearest / LID_REACH) ** 2)[:, None]
    weights[points] = np.eye(len(points))
    corners = [p for line in topology.EYE_UPPER for p in (line[0], line[-1])]
    weights[corners] = 0
    return np.array(points), np.array(partners), weights


def aperture_change(activation: dict[str, np.ndarray]) -> np.ndarray:
    """(T,) relative lid aperture change of unit activations (each (T,)), kept within -0.85..0.6."""
    change = sum(gain * activation[name] for name, gain in APERTURE.items() if name in activation)
    return np.clip(change, -0.85, 0.6)


def lid_displacement(shapes: np.ndarray, change: np.ndarray) -> np.ndarray:
    """(T, 478, 3) displacement, face units, that scales the lid aperture of canonical-pose shapes (T, 478, 3) by
    1 + change (T,)."""
    points, partners, weights = _spread()
    gap = shapes[:, partners] - shapes[:, points]
    half = len(points) // 4
    is_upper = np.tile(np.repeat([True, False], half), 2)
    opening = np.where(is_upper, UPPER_OPENS, 1 - UPPER_OPENS)
    closing = np.where(is_upper, UPPER_CLOSES, 1 - UPPER_CLOSES)
    share = np.where(change[:, None] > 0, opening, closing)
    lids = -change[:, None, None] * share[..., None] * gap
    return np.einsum("pl,tlc->tpc", weights, lids)
