"""Weights and inputs from key names: how the stored outputs of ``goldens.npz`` were made, without any checkpoint."""

from __future__ import annotations

import hashlib
import zlib

import numpy as np
import torch


def generator(name: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(name.encode()))


def _values(key: str, shape: tuple[int, ...]) -> np.ndarray:
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    random = generator(key)
    if key.endswith("running_var"):
        return 0.5 + random.random_sample(shape)
    normal = random.standard_normal(shape)
    if key.endswith("running_mean"):
        return 0.1 * normal
    if len(shape) >= 2:
        return normal / np.sqrt(np.prod(shape[1:]))
    if key.endswith("prelu.weight"):
        return 0.25 + 0.05 * normal
    return 1.0 + 0.1 * normal if key.endswith("weight") else 0.05 * normal


def filled(net: torch.nn.Module) -> torch.nn.Module:
    """The network with weights that depend on its keys only, ready to run."""
    state = {
        key: torch.from_numpy(np.asarray(_values(key, tuple(value.shape)))).to(value.dtype)
        for key, value in net.state_dict().items()
    }
    net.load_state_dict(state, strict=True)
    return net.eval()


def layout_digest(net: torch.nn.Module) -> str:
    """One word that changes with any key or shape."""
    lines = sorted(f"{key} {tuple(value.shape)}" for key, value in net.state_dict().items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def seeded_input(name: str, shape: tuple[int, ...], kind: str) -> torch.Tensor:
    """kind: "normal", "unit" (0..1) or "byte" (whole 0..255)."""
    random = generator(name)
    draw = {
        "normal": lambda: random.standard_normal(shape),
        "unit": lambda: random.random_sample(shape),
        "byte": lambda: random.randint(0, 256, shape),
    }[kind]
    return torch.from_numpy(draw().astype(np.float32))
