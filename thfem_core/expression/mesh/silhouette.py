"""The face's outline stays: hair, ears and background behind it must not bend."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...face.mesh.distance import distance_to_points
from ...face.mesh.topology import FACE_OVAL
from ...face.smoothstep import smoothstep

OUTLINE_SHARE = 0.2  # of a displacement that is left on the face oval
FULL_DEPTH = 22.0  # face units inward from which on the whole displacement is left


@lru_cache(maxsize=1)
def outline_damping() -> np.ndarray:
    """Compute the factor on displacements that holds the face's outline.

    Returns:
        (478,) :data:`OUTLINE_SHARE` on the oval, rising to 1 at :data:`FULL_DEPTH`.
    """
    return OUTLINE_SHARE + (1 - OUTLINE_SHARE) * smoothstep(distance_to_points(FACE_OVAL), 0.0, FULL_DEPTH)
