"""The action-unit basis of the face mesh, embedded in the package."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...weights.reading import Shapes, embedded_tensors, listed_names


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class FaceBasis:
    """Canonical face, and the displacements that expressions and identities are made of.

    Arrays are read-only; lengths are in face units (:mod:`.canonical`). K action units, M identity modes.

    canonical: (478, 3) float32 average face.
    triangles: (852, 3) int64 indices of the canonical mesh's triangles.
    names: Names of the K action units, ARKit's with left and right merged.
    action_units: (K, 478, 3) float32 displacement per unit of activation; 0 at the irises (468..477).
    identity_modes: (M, 478, 3) float32 displacement per standard deviation.
    """

    canonical: np.ndarray
    triangles: np.ndarray
    names: tuple[str, ...]
    action_units: np.ndarray
    identity_modes: np.ndarray

    def index(self, name: str) -> int:
        """Index of an action unit in :attr:`action_units`."""
        return self.names.index(name)


_FILE = "face_basis.safetensors"
_SHAPES: Shapes = {
    "canonical": (478, 3),
    "triangles": (852, 3),
    "action_units": ("K", 478, 3),
    "identity_modes": ("M", 478, 3),
}


@lru_cache(maxsize=1)
def load_basis() -> FaceBasis:
    """Load the embedded basis, made from ICT-FaceKit (MIT).

    Returns:
        The basis; one object per process.

    Raises:
        WeightsError: Its file is missing or damaged.
    """
    tensors, notes = embedded_tensors(_FILE, maker="training/build_face_basis.py", shapes=_SHAPES)
    arrays = {name: tensors[name].numpy() for name in _SHAPES}
    arrays["triangles"] = arrays["triangles"].astype(np.int64)
    for array in arrays.values():
        array.flags.writeable = False
    names = listed_names(notes, "action_units", count=len(arrays["action_units"]), what=_FILE)
    return FaceBasis(names=names, **arrays)
