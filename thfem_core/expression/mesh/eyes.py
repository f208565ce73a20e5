"""Lids: the aperture is scaled, so blinks stay blinks; gaze and the roundness of the iris are left alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from ...face.mesh.basis import load_basis
from ...face.mesh.distance import distance_to_points
from ...face.mesh.topology import EYE_LOWER, EYE_UPPER
from ...face.smoothstep import smoothstep

# Relative change of the lid aperture per unit of activation, and the limits of the whole change: a lid never crosses.
APERTURE_PER_UNIT = {"eyeWide": 0.38, "eyeBlink": -0.9, "eyeSquint": -0.16}
CHANGE_LIMITS = (-0.85, 0.6)
# The upper lid's share of an opening and of a closing.
UPPER_OPENS, UPPER_CLOSES = 0.8, 0.6
# Standard deviations, face units: along a lid line, and from it into the skin around.
ALONG_LID, INTO_SKIN = 3.0, 4.0
# Within this distance of the lid lines action units fade out: a cheek pushed over a still lid would fold the mesh.
LID_REACH = 10.0


@lru_cache(maxsize=1)
def lid_line_damping() -> np.ndarray:
    """Compute the factor on action units' displacements that leaves the lid lines to :func:`lid_displacement`.

    Returns:
        (478,) 0 on the lid lines, 1 away from the eyes.
    """
    lines = [point for line in (*EYE_UPPER, *EYE_LOWER) for point in line]
    return smoothstep(distance_to_points(lines), 0.0, LID_REACH)


@lru_cache(maxsize=1)
def _lid_points() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points between the corners of all lid lines, and how their motion is carried into the skin.

    Returns:
        Points (L,), the point facing each on the other lid (L,), whether it is on an upper lid (L,), and weights
        (478, L): 1 on the point itself, 0 on the corners; skin follows the nearest lid.
    """
    points: list[int] = []
    facing: list[int] = []
    upper_lid: list[bool] = []
    for upper, lower in zip(EYE_UPPER, EYE_LOWER, strict=True):
        points += [*upper[1:-1], *lower[1:-1]]
        facing += [*lower[1:-1], *upper[1:-1]]
        upper_lid += [True] * (len(upper) - 2) + [False] * (len(lower) - 2)
    canonical = load_basis().canonical
    distance = np.linalg.norm((canonical[:, None] - canonical[points][None])[..., :2], axis=2)
    share = np.exp(-0.5 * (distance / ALONG_LID) ** 2) + 1e-12
    share /= share.sum(axis=1, keepdims=True)
    weights = share * np.exp(-0.5 * (distance.min(axis=1) / INTO_SKIN) ** 2)[:, None]
    weights[points] = np.eye(len(points))
    weights[[corner for line in EYE_UPPER for corner in (line[0], line[-1])]] = 0
    return np.array(points), np.array(facing), np.array(upper_lid), weights


def aperture_change(activation: Mapping[str, np.ndarray]) -> np.ndarray:
    """Sum up what action units do to the lid aperture.

    Args:
        activation: Unit name → (T,) activations.

    Returns:
        (T,) relative change of the aperture: -0.5 halves it.
    """
    change = np.zeros(())
    for name, per_unit in APERTURE_PER_UNIT.items():
        if name in activation:
            change = change + per_unit * activation[name]
    return np.clip(change, *CHANGE_LIMITS)


def lid_displacement(shapes: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Scale the lid aperture of faces.

    Args:
        shapes: (T, 478, 3) on the canonical head, face units.
        change: (T,) relative change as from :func:`aperture_change`.

    Returns:
        (T, 478, 3) displacements in face units.
    """
    points, facing, upper_lid, weights = _lid_points()
    gap = shapes[:, facing] - shapes[:, points]
    opening = np.where(upper_lid, UPPER_OPENS, 1 - UPPER_OPENS)
    closing = np.where(upper_lid, UPPER_CLOSES, 1 - UPPER_CLOSES)
    share = np.where(change[:, None] > 0, opening, closing)
    lids = -change[:, None, None] * share[..., None] * gap
    return np.einsum("pl,tlc->tpc", weights, lids)
