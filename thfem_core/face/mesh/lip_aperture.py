"""Speech kept by construction: action units may carry the lips along, but never open or close them.

Aperture = the vector between paired points of the upper and lower inner lip line. A linear operator removes every
change of it from a displacement field, so the lip distance of each frame stays exactly the source's.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from . import topology
from .basis import load_basis

# How far (face units, standard deviation) the correction reaches into the lips and the skin around them.
LIP_REACH = 9.0
# Lateral spread when a point between two lip pairs takes its share of both.
PAIR_SPREAD = 4.0
# Openings (face units) that halve an added mouth expression: wide vowels leave no room for a smile.
OPENING_SCALE = 35.0


@lru_cache(maxsize=1)
def aperture_keeper() -> np.ndarray:
    """(478, 478) operator P: P @ field has equal displacements on paired inner-lip points, and is smooth around.

    Upper and lower lip give up half of the difference each.
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
    """(T,) inner-lip opening at the middle of canonical-pose shapes (T, 478, 3), face units."""
    return np.linalg.norm(shapes[:, 13] - shapes[:, 14], axis=1)


def mouth_width(shapes: np.ndarray) -> np.ndarray:
    """(T,) distance of the mouth corners, face units."""
    left, right = topology.MOUTH_CORNERS
    return np.linalg.norm(shapes[:, left] - shapes[:, right], axis=1)


def mouth_allowance(shapes: np.ndarray, usual_width: float) -> np.ndarray:
    """(T,) factor on mouth units: less where speech opens or rounds the mouth, so visemes keep their contrast.

    ``usual_width``: the clip's median mouth width.
    """
    narrowing = (usual_width - mouth_width(shapes)) / usual_width
    return np.clip(1 - 2 * narrowing, 0.55, 1.1) / (1 + (mouth_opening(shapes) / OPENING_SCALE) ** 2)
