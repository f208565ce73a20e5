"""The face's outline stays: hair, ears and background behind it must not bend."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...face.mesh.basis import load_basis
from ...face.mesh.topology import FACE_OVAL
from ...face.smoothstep import smoothstep

OUTLINE_SHARE = 0.2
FULL_DEPTH = 22.0


@lru_cache(maxsize=1)
def outline_damping() -> np.ndarray:
    """(478,) factor on displacements: OUTLINE_SHARE on the face oval, 1 from FULL_DEPTH face units inward."""
    canonical = load_basis().canonical
    distance = np.linalg.norm((canonical[:, None] - canonical[list(FACE_OVAL)][None])[..., :2], axis=2).min(axis=1)
    return OUTLINE_SHARE + (1 - OUTLINE_SHARE) * smoothstep(distance, 0.0, FULL_DEPTH)
