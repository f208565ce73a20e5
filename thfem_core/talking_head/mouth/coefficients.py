"""Mouth shapes in a few numbers: linear modes of the lower face's motion on the canonical head.

The modes are a weighted PCA of how lower faces move while people speak (training/build_mouth_basis.py). Coefficients
are in face units (1 % of the outer-eye distance): about the root-mean-square displacement that a mode contributes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...face.mesh.canonical import canonical_mesh
from ...face.smoothstep import smoothstep
from ...weights.reading import Shapes, embedded_tensors

FILE = "mouth_basis.safetensors"
# Canonical heights (face units) between which the mouth's motion fades in: base of the nose, upper lip.
FADE = (40.0, 62.0)


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class MouthBasis:
    """K modes of the face mesh's lower part. Meshes are on the canonical head, in face units.

    mean: (478, 3), average speaking face.
    modes: (K, 478, 3), displacement per unit of coefficient, fading to 0 at the nose.
    reader: (478 · 3, K), weighted least-squares fit: coefficients = (mesh − mean) @ reader.
    spread: (K,), standard deviation of each coefficient within a clip.
    """

    mean: np.ndarray
    modes: np.ndarray
    reader: np.ndarray
    spread: np.ndarray

    @property
    def size(self) -> int:
        """K."""
        return len(self.modes)

    def read(self, shapes: np.ndarray) -> np.ndarray:
        """Fit meshes: (..., 478, 3) → float32 (..., K), coefficients relative to the average face."""
        offset = (shapes - self.mean).reshape(*shapes.shape[:-2], -1)
        return (offset @ self.reader).astype(np.float32)

    def displacement(self, coefficients: np.ndarray) -> np.ndarray:
        """Displace the mesh: changes of coefficients (..., K) → float32 (..., 478, 3)."""
        return np.tensordot(coefficients, self.modes, axes=1).astype(np.float32)


@lru_cache(maxsize=1)
def lower_face_fade() -> np.ndarray:
    """Weights of the mesh's points, float32 (478,), read only: 1 from the upper lip down, 0 above the nose's base."""
    fade = smoothstep(canonical_mesh()[:, 1], *FADE).astype(np.float32)
    fade.flags.writeable = False
    return fade


_SHAPES: Shapes = {"mean": (478, 3), "modes": ("K", 478, 3), "reader": (1434, "K"), "spread": ("K",)}


@lru_cache(maxsize=1)
def load_mouth_basis() -> MouthBasis:
    """Load the embedded basis.

    Returns:
        The basis; always the same object.

    Raises:
        WeightsError: Its file is missing or damaged.
    """
    tensors, _ = embedded_tensors(FILE, maker="training/build_mouth_basis.py", shapes=_SHAPES)
    return MouthBasis(**{name: tensors[name].numpy() for name in _SHAPES})
