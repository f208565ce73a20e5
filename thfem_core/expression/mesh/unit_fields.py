"""How far each action unit moves each point of the mesh, as the picture can bear it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...face.mesh.basis import load_basis
from ...face.mesh.lip_aperture import lip_aperture_operator
from .action_units import ACTION_UNITS
from .brows import rigid_brow_operator
from .eyes import lid_line_damping
from .silhouette import outline_damping
from .spectacles import rim_damping


@lru_cache(maxsize=2)
def unit_fields(spectacles: bool) -> np.ndarray:
    """Adapt the displacements of the basis to pictures.

    Brows move as bars, the face's outline hardly, lid lines not at all (:mod:`.eyes` moves them), rims of spectacles
    little, and the lips keep their aperture.

    Args:
        spectacles: Whether the face wears spectacles.

    Returns:
        (K, 478 · 3) displacements per unit of activation, face units.
    """
    basis = load_basis()
    fields = np.stack([basis.action_units[basis.index(name)] for name in ACTION_UNITS]).astype(np.float64)
    fields = np.einsum("pq,kqc->kpc", rigid_brow_operator(), fields)
    fields *= (outline_damping() * lid_line_damping())[:, None]
    if spectacles:
        fields *= rim_damping()[:, None]
    fields = np.einsum("pq,kqc->kpc", lip_aperture_operator(), fields)
    return fields.reshape(len(ACTION_UNITS), -1)
