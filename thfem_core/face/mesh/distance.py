"""Distances on the canonical face, seen from the front."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .basis import load_basis


def distance_to_points(points: Sequence[int]) -> np.ndarray:
    """Measure how far each mesh point lies from the nearest of some mesh points.

    Args:
        points: Indices into the mesh.

    Returns:
        (478,) face units, depth ignored.
    """
    canonical = load_basis().canonical
    return np.linalg.norm((canonical[:, None] - canonical[list(points)][None])[..., :2], axis=2).min(axis=1)
