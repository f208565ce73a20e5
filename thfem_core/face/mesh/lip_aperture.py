"""Speech kept by construction: an expression may carry the lips along, but never open or close them.

Lip aperture is the vector between facing points of the upper and lower inner lip line. A linear operator removes every
change of it from a displacement field, so the lip distance of each frame stays exactly the source's.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from . import topology
from .basis import load_basis

# Standard deviations, face units: how far the correction reaches into the lips and the skin around them; along the lip
# line, within which a point shares in the correction of several pairs.
LIP_REACH = 9.0
PAIR_SPREAD = 4.0
# Opening (face units) that halves an added mouth expression: wide vowels leave no room for a smile.
HALVING_OPENING = 35.0
# A mouth rounded by this share of its usual width loses twice that share of it, within limits.
ROUNDING_GAIN = 2.0
ROUNDING_LIMITS = (0.55, 1.1)


@lru_cache(maxsize=1)
def lip_aperture_operator() -> np.ndarray:
    """Build the operator that keeps the lips' aperture.

    Returns:
        (478, 478): applied to a displacement field (478, 3), facing points of the inner lips move alike, each having
        given up half of their difference; around the lips the correction fades smoothly.
    """
    canonical = load_basis().canonical
    upper, lower = canonical[list(topology.INNER_LIP_UPPER)], canonical[list(topology.INNER_LIP_LOWER)]
    line = (upper + lower) / 2
    lateral = canonical[:, None, 0] - line[None, :, 0]
    share = np.exp(-0.5 * (lateral / PAIR_SPREAD) ** 2)
    share /= share.sum(axis=1, keepdims=True) + 1e-6

    line_y = np.interp(canonical[:, 0], line[:, 0], line[:, 1])
    above = canonical[:, 1] < line_y
    own = np.where(above[:, None, None], upper[None], lower[None])
    distance = np.linalg.norm((canonical[:, None] - own)[..., :2], axis=2).min(axis=1)
    reach = np.exp(-0.5 * (distance / LIP_REACH) ** 2)
    side = np.where(above, -0.5, 0.5) * reach

    operator = np.eye(len(canonical))
    difference = np.zeros((len(line), len(canonical)))
    for i, (u, lo) in enumerate(zip(topology.INNER_LIP_UPPER, topology.INNER_LIP_LOWER, strict=True)):
        if u == lo:
            continue  # a corner is one point: nothing to keep
        difference[i, u] += 1
        difference[i, lo] -= 1
        # The paired points themselves are met exactly: their whole share is their own pair's.
        for point, half in ((u, -0.5), (lo, 0.5)):
            share[point] = 0
            share[point, i] = 1
            side[point] = half
    return operator + side[:, None] * (share @ difference)


def mouth_opening(shapes: np.ndarray) -> np.ndarray:
    """Measure how far the mouth is open.

    Args:
        shapes: (T, 478, 3) on the canonical head, face units.

    Returns:
        (T,) distance of the inner lips at the middle, face units.
    """
    upper, lower = topology.INNER_LIP_PAIRS[0]
    return np.linalg.norm(shapes[:, upper] - shapes[:, lower], axis=1)


def mouth_width(shapes: np.ndarray) -> np.ndarray:
    """Measure how wide the mouth is.

    Args:
        shapes: (T, 478, 3) on the canonical head, face units.

    Returns:
        (T,) distance of the mouth corners, face units.
    """
    left, right = topology.MOUTH_CORNERS
    return np.linalg.norm(shapes[:, left] - shapes[:, right], axis=1)


def mouth_unit_gain(shapes: np.ndarray, usual_width: float) -> np.ndarray:
    """Weaken mouth expressions where speech opens or rounds the mouth, so that visemes keep their contrast.

    Args:
        shapes: (T, 478, 3) on the canonical head, face units.
        usual_width: Median mouth width of the clip, face units.

    Returns:
        (T,) factors on the activations of mouth units.
    """
    rounding = (usual_width - mouth_width(shapes)) / usual_width
    return np.clip(1 - ROUNDING_GAIN * rounding, *ROUNDING_LIMITS) / (
        1 + (mouth_opening(shapes) / HALVING_OPENING) ** 2
    )
