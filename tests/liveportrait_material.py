"""Weights and inputs of LivePortrait and PC-Talk made from names and formulas, so that goldens need no weights.

Every random number comes from numpy's frozen Mersenne Twister seeded with the CRC-32 of a name, in float64, rounded
once. Tiny networks of the published layout make everything but the goldens cheap.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from thfem_core.networks.liveportrait.keypoints import FaceMotion
from thfem_core.networks.liveportrait.networks import STITCHING_LAYOUTS, Sizes, make_network

DATA = Path(__file__).resolve().parent / "data" / "liveportrait"
# Role of a published file → name of its network in the manifests.
FILES = {
    "appearance": "appearance_feature_extractor",
    "motion": "motion_extractor",
    "warping": "warping_module",
    "decoder": "spade_generator",
}
SMALL = {"stitching": "stitching", "lip": "retarget_lip", "eye": "retarget_eye"}
TINY = Sizes(
    width=8,
    channels=4,
    depth=4,
    blocks=1,
    base=4,
    levels=3,
    features=16,
    decoder=32,
    hidden=8,
    motion_widths=(8, 8, 8, 16),
    motion_depths=(1, 1, 1, 1),
)
State = dict[str, torch.Tensor]


@cache
def manifests() -> dict[str, dict]:
    """Per published network: "parameters" (count), "keys" ({key: shape})."""
    return json.loads((DATA / "manifests.json").read_text())


@cache
def golden(name: str) -> dict[str, np.ndarray]:
    with np.load(DATA / f"{name}.npz") as file:
        return dict(file)


def rng(name: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(name.encode()))


def _value(key: str, shape: tuple[int, ...]) -> np.ndarray:
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    normal = rng(key).standard_normal(shape)
    if key.endswith("running_mean") or key.endswith("grn.gamma"):
        return 0.1 * normal
    if key.endswith("running_var"):
        return 1 + 0.1 * np.abs(normal)
    if key.endswith(("bias", ".beta")) or "bias_ih" in key or "bias_hh" in key:
        return 0.05 * normal
    return 1 + 0.1 * normal if len(shape) <= 1 else normal / np.sqrt(np.prod(shape[1:]))


def _singular_vectors(base: str, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    matrix = _value(base + "weight_orig", shape).reshape(shape[0], -1)
    v = rng(base + "weight_v").standard_normal(matrix.shape[1])
    v /= np.linalg.norm(v)
    for _ in range(20):
        u = matrix @ v
        u /= np.linalg.norm(u)
        v = matrix.T @ u
        v /= np.linalg.norm(v)
    return u, v


def filled_state(shapes: Mapping[str, Sequence[int]], *, kept: Mapping[str, torch.Tensor] | None = None) -> State:
    """A state dict for ``{key: shape}``; ``kept`` gives entries that are constants."""
    state: State = dict(kept or {})
    for key, shape in shapes.items():
        if key.endswith(("weight_u", "weight_v")) or key in state:
            continue
        array = np.asarray(_value(key, tuple(shape)))
        dtype = torch.int64 if array.dtype == np.int64 else torch.float32
        state[key] = torch.from_numpy(array).to(dtype).reshape(tuple(shape))
    for key in shapes:
        if key.endswith("weight_u"):
            base = key.removesuffix("weight_u")
            u, v = _singular_vectors(base, tuple(shapes[base + "weight_orig"]))
            state[key], state[base + "weight_v"] = torch.from_numpy(u).float(), torch.from_numpy(v).float()
    return state


def shapes_of(name: str, sizes: Sizes) -> dict[str, list[int]]:
    """Keys and shapes of one of LivePortrait's networks."""
    with torch.device("meta"):
        network = make_network(name, sizes)
    return {key: list(tensor.shape) for key, tensor in network.state_dict().items()}


def filled_network(name: str, sizes: Sizes | None = None) -> torch.nn.Module:
    """One of LivePortrait's networks, filled, not folded."""
    with torch.device("meta"):
        network = make_network(name, sizes or Sizes())
    state = filled_state({key: list(tensor.shape) for key, tensor in network.state_dict().items()})
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)


def write_liveportrait(folder: Path, *, sizes: Sizes = TINY, layout: str = "flat_module") -> dict[str, Path]:
    """The published files by role, weights random. layout: of the stitching file: flat_module, flat_short (both
    safetensors) or original_pth."""
    folder.mkdir(parents=True, exist_ok=True)
    ending = ".pth" if layout == "original_pth" else ".safetensors"
    files = {role: folder / f"{name}{ending}" for role, name in FILES.items()}
    for role, path in files.items():
        _write(path, filled_state(shapes_of(role, sizes)))
    small = {name: filled_state(shapes_of(name, sizes)) for name in SMALL}
    files["stitching"] = folder / f"stitching_retargeting_module{ending}"
    if layout == "original_pth":
        names = {"stitching": "retarget_shoulder", "lip": "retarget_mouth", "eye": "retarget_eye"}
        nested = {names[n]: {f"module.{key}": tensor for key, tensor in small[n].items()} for n in small}
        torch.save(nested, files["stitching"])
    else:
        marker = {"flat_module": "retarget_shoulder_module.", "flat_short": "stitching."}[layout]
        prefixes = STITCHING_LAYOUTS[marker]
        _write(files["stitching"], {p + key: t for p, n in prefixes.items() for key, t in small[n].items()})
    return files


def _write(path: Path, state: State) -> None:
    if path.suffix == ".pth":
        torch.save(state, path)
    else:
        save_file({key: tensor.contiguous() for key, tensor in state.items()}, path)


def wave(shape: Sequence[int], a: float = 0.0, b: float = 1.0) -> torch.Tensor:
    """a + b sin(0.37 k + 0.001 (k mod 97) √k) over the flat index k."""
    k = np.arange(int(np.prod(tuple(shape))), dtype=np.float64)
    values = a + b * np.sin(0.37 * k + 0.001 * (k % 97) * np.sqrt(k))
    return torch.from_numpy(values.reshape(tuple(shape)).astype(np.float32))


def picture(channels: int, height: int, width: int) -> torch.Tensor:
    """(channels, height, width) in 0..1, smooth waves."""
    channel = np.arange(channels)[:, None, None]
    row, column = np.arange(height)[None, :, None], np.arange(width)[None, None, :]
    values = 0.5 + 0.45 * np.sin(0.06 * (channel + 1) * row + 0.045 * column + 0.7 * channel)
    return torch.from_numpy(values.astype(np.float32))


def source_picture() -> np.ndarray:
    """(480, 640, 3) uint8."""
    return (picture(3, 480, 640).permute(1, 2, 0).numpy() * 255).astype(np.uint8)


def points(offset: float) -> torch.Tensor:
    """(1, 21, 3) keypoints, a wave of the flat index."""
    k = np.arange(63, dtype=np.float64)
    return torch.from_numpy((0.45 * np.sin(1.7 * k + 0.9 * offset)).reshape(1, 21, 3).astype(np.float32))


def motion(count: int, phase: float) -> FaceMotion:
    """``count`` frames of a moving head."""
    k, i = np.arange(63, dtype=np.float64), np.arange(count)
    base = (0.35 * np.sin(1.7 * k + 0.05 * k * k + 0.9 * phase)).reshape(1, 21, 3).astype(np.float32)
    angles = np.stack(
        [6 * np.sin(0.5 * i + phase), 10 * np.sin(0.37 * i + 1 + 2 * phase), 4 * np.sin(0.61 * i + 2 + phase)], axis=1
    )
    cosines, sines = np.cos(np.deg2rad(angles)), np.sin(np.deg2rad(angles))
    rotations = []
    for (c0, c1, c2), (s0, s1, s2) in zip(cosines, sines, strict=True):
        rx = np.array([[1, 0, 0], [0, c0, -s0], [0, s0, c0]])
        ry = np.array([[c1, 0, s1], [0, 1, 0], [-s1, 0, c1]])
        rz = np.array([[c2, -s2, 0], [s2, c2, 0], [0, 0, 1]])
        rotations.append((rz @ ry @ rx).T.astype(np.float32))
    shift = [0.02 * np.sin(0.7 * i + phase), 0.02 * np.cos(0.3 * i + phase) - 0.03, 0.4 + 0 * i]
    return FaceMotion(
        canonical=torch.cat([torch.from_numpy(base) + 0.02 * points(phase + 10 + n) for n in i]),
        angles=torch.from_numpy(angles.astype(np.float32)),
        rotation=torch.from_numpy(np.stack(rotations)),
        expression=torch.cat([0.03 * points(phase + 5 + 0.3 * n) for n in i]),
        scale=torch.from_numpy((1.3 + 0.05 * np.sin(0.4 * i + phase)).astype(np.float32))[:, None],
        translation=torch.from_numpy(np.stack(shift, axis=1).astype(np.float32)),
    )


def assert_close(actual: torch.Tensor | np.ndarray, expected: np.ndarray, *, tolerance: float = 1e-4) -> None:
    """Largest difference over largest entry within ``tolerance``."""
    array = np.asarray(actual.detach().cpu().double() if isinstance(actual, torch.Tensor) else actual, np.float64)
    assert array.shape == expected.shape
    error = np.abs(array - expected).max() / np.abs(expected).max()
    assert error <= tolerance, f"relative error {error:.2e}"


def assert_sampled(
    actual: torch.Tensor, stored: Mapping[str, np.ndarray], name: str, *, tolerance: float = 1e-4
) -> None:
    """Shape, statistics (mean, standard deviation, minimum, maximum, sum of magnitudes) and every so-manieth entry."""
    assert list(actual.shape) == stored[f"{name}_shape"].tolist()
    x = actual.double()
    statistics = torch.stack([x.mean(), x.std(correction=0), x.min(), x.max(), x.abs().sum()])
    assert_close(statistics, stored[f"{name}_stats"], tolerance=1e-3)
    steps = tuple(slice(None, None, int(step)) for step in stored[f"{name}_stride"])
    assert_close(actual[steps], stored[f"{name}_slice"], tolerance=tolerance)
