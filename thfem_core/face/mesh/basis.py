"""The action-unit basis of the face mesh, and the texture ratios, as they lie in thfem_core/weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from ...errors import WeightsError

WEIGHTS = Path(__file__).parents[2] / "weights"


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceBasis:
    """canonical (478, 3), triangles (852, 3) int, action_units (K, 478, 3) named by ``names``, identity_modes
    (M, 478, 3); float32, face units. Iris points (468..477) carry no displacement."""

    canonical: np.ndarray
    triangles: np.ndarray
    names: tuple[str, ...]
    action_units: np.ndarray
    identity_modes: np.ndarray

    def index(self, name: str) -> int:
        return self.names.index(name)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpressionRatio:
    """log_ratio (E, S, S) float32: log brightness of an emotional over a neutral face, per emotion, in the
    cylindrical texture map of :mod:`.texture`."""

    emotions: tuple[str, ...]
    log_ratio: np.ndarray


def read_weights(name: str, maker: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays and metadata of an embedded file; ``maker`` is the script that builds it. Raises WeightsError."""
    path = WEIGHTS / name
    try:
        with safe_open(path, framework="numpy") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"{name} is missing or damaged in {path.parent}; it ships with the pack: install it again, or make it "
            f"with {maker} ({error})"
        ) from None


@lru_cache(maxsize=1)
def load_basis() -> FaceBasis:
    """The embedded basis (MIT). Raises WeightsError if the file is not there."""
    arrays, metadata = read_weights("face_basis.safetensors", "training/build_face_basis.py")
    return FaceBasis(
        canonical=arrays["canonical"],
        triangles=arrays["triangles"].astype(np.int64),
        names=tuple(metadata["action_units"].split(",")),
        action_units=arrays["action_units"].astype(np.float32),
        identity_modes=arrays["identity_modes"].astype(np.float32),
    )


@lru_cache(maxsize=1)
def load_ratio() -> ExpressionRatio:
    """The embedded texture ratios (CC BY-NC 4.0). Raises WeightsError if the file is not there."""
    arrays, metadata = read_weights("expression_ratio.safetensors", "training/build_face_basis.py")
    return ExpressionRatio(
        emotions=tuple(metadata["emotions"].split(",")), log_ratio=arrays["log_ratio"].astype(np.float32)
    )
