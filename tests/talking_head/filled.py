"""Weights and inputs made from names and formulas, so that goldens need no weights: what the goldens were made with.

Every number comes from numpy's frozen Mersenne Twister seeded with the CRC-32 of a name, in float64, rounded once.
"""

from __future__ import annotations

import json
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import torch

from thfem_core.networks.antialias import gaussian_kernel
from thfem_core.talking_head.eat.head_pose import HeadPoseEstimate
from thfem_core.talking_head.eat.transformers import position_table

DATA = Path(__file__).resolve().parents[1] / "data" / "talking_heads"


@cache
def manifests() -> dict[str, dict]:
    """Per network of the published checkpoints: "parameters" (count), "keys" ({key: shape})."""
    return json.loads((DATA / "manifests.json").read_text())


def golden(name: str) -> dict[str, np.ndarray]:
    with np.load(DATA / f"{name}.npz") as file:
        return dict(file)


def rng(name: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(name.encode()))


def value(key: str, shape: tuple[int, ...]) -> np.ndarray | torch.Tensor:
    if key.endswith("pos_table"):
        return position_table()
    if key.endswith("down.weight"):
        return gaussian_kernel(shape[0])
    if key.endswith("kernel"):
        taps = np.outer([1, 3, 3, 1], [1, 3, 3, 1])
        return taps / 16.0
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    random = rng(key)
    if key.endswith("running_var"):
        return 0.5 + random.random_sample(shape)
    normal = random.standard_normal(shape)
    if key.endswith("running_mean"):
        return 0.1 * normal
    if len(shape) >= 2:
        return 1.2 * normal / np.sqrt(np.prod(shape[1:]))
    return 1.0 + 0.1 * normal if key.endswith("weight") else 0.05 * normal


def singular_vectors(weight: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    matrix = weight.flatten(1).numpy().astype(np.float64)
    u = np.ones(len(matrix)) / np.sqrt(len(matrix))
    for _ in range(20):
        v = matrix.T @ u
        v /= np.linalg.norm(v)
        u = matrix @ v
        u /= np.linalg.norm(u)
    return u, v


def filled_state(shapes: dict[str, torch.Size | list[int]]) -> dict[str, torch.Tensor]:
    """A state dict for ``{key: shape}``."""
    state: dict[str, torch.Tensor] = {}
    for key, shape in shapes.items():
        if not key.endswith(("weight_u", "weight_v")):
            array = np.asarray(value(key, tuple(shape)))
            dtype = torch.int64 if array.dtype == np.int64 else torch.float32
            state[key] = torch.from_numpy(array).to(dtype).reshape(tuple(shape))
    for key in shapes:
        if key.endswith("weight_u"):
            u, v = singular_vectors(state[key[:-1] + "orig"])
            state[key], state[key[:-1] + "v"] = (torch.from_numpy(x).float() for x in (u, v))
    return state


def inp(name: str, shape: tuple[int, ...], scale: float = 1.0) -> torch.Tensor:
    return torch.from_numpy((scale * rng("input:" + name).standard_normal(shape)).astype(np.float32))


def image(name: str, count: int = 1, size: int = 256) -> torch.Tensor:
    """(count, 3, size, size) in 0..1: one smooth wave per plane plus 5 % noise."""
    random = rng("image:" + name)
    y, x = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    planes = np.empty((count, 3, size, size))
    for plane in planes.reshape(-1, size, size):
        fx, fy, phase = random.uniform(0.02, 0.12), random.uniform(0.02, 0.12), random.uniform(0, 6.28)
        plane[:] = 0.5 + 0.35 * np.sin(fx * x + phase) * np.cos(fy * y - phase)
    planes += 0.05 * random.standard_normal(planes.shape)
    return torch.from_numpy(np.clip(planes, 0, 1).astype(np.float32))


def speech_wave(seed: int) -> np.ndarray:
    """Two seconds at 16 kHz, float32 (32000,): three harmonics of a wandering pitch, swelling and fading, and noise."""
    n = np.arange(32000)
    phase = 2 * np.pi * np.cumsum(180 + 60 * np.sin(2 * np.pi * 1.5 * n / 16000 + seed)) / 16000
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 3 * n / 16000 + 2 * seed)
    voice = (0.25 * np.sin(phase) + 0.12 * np.sin(2 * phase) + 0.06 * np.sin(3 * phase)) * swell
    return (voice + 0.01 * np.random.RandomState(seed).standard_normal(len(n))).astype(np.float32)


class EatWindow:
    """Inputs of five frames of one clip, under the emotion with label 4."""

    mel = inp("w.mel", (1, 5, 1, 80, 11))[0]
    speech = inp("w.deep", (1, 5, 11, 16, 29))[0]
    pose_images = (inp("w.pose", (5, 11, 1, 64, 64)) > 1.0).float() * 255.0
    z = inp("w.z", (1, 16))
    labels = torch.tensor([4])
    poses = HeadPoseEstimate(
        *(inp(f"w.{angle}", (1, 5, 66))[0] for angle in ("yaw", "pitch", "roll")),
        translation=inp("w.t", (1, 5, 3), 0.1)[0],
        expression=torch.zeros(5, 45),
    )


def assert_close(actual: torch.Tensor, expected: np.ndarray, *, tolerance: float = 1e-4) -> None:
    """Largest difference over largest entry within ``tolerance``."""
    assert tuple(actual.shape) == expected.shape
    error = np.abs(actual.detach().cpu().double().numpy() - expected).max() / np.abs(expected).max()
    assert error <= tolerance, f"relative error {error:.2e}"


def assert_statistics(actual: torch.Tensor, stored: dict[str, np.ndarray], name: str) -> None:
    """Shape, and mean, standard deviation, minimum, maximum, mean of magnitudes."""
    assert list(actual.shape) == stored[f"shape_{name}"].tolist()
    x = actual.double()
    statistics = torch.stack([x.mean(), x.std(correction=0), x.min(), x.max(), x.abs().mean()])
    assert_close(statistics, stored[f"stat_{name}"], tolerance=1e-3)
