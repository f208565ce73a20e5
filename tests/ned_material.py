"""Inputs of NED's and SSERD's goldens, made by formula; a made-up head model; files of the published layout."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import scipy.sparse
import torch
from liveportrait_material import filled_state, rng, wave
from safetensors.torch import save_file
from torch import Tensor, nn

from thfem_core.expression.ned.flame import FlameModel
from thfem_core.expression.ned.flame_convert import convert
from thfem_core.expression.ned.renderer import FaceRenderer
from thfem_core.expression.sserd.networks import Sserd

DATA = Path(__file__).resolve().parent / "data" / "ned"


@cache
def manifests() -> dict[str, dict]:
    """Per network: "parameters" (count), "keys" ({key: shape})."""
    return json.loads((DATA / "manifests.json").read_text())


@cache
def golden(name: str) -> dict[str, np.ndarray]:
    with np.load(DATA / f"{name}.npz") as file:
        return dict(file)


def sampled(values: Tensor | np.ndarray, stored: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """The part of an array that is stored."""
    array = values.numpy() if isinstance(values, Tensor) else values
    return array[tuple(slice(None, None, int(step)) for step in stored[f"{name}_stride"])]


def assert_close(values: Any, expected: np.ndarray, tolerance: float = 1e-4) -> None:
    """Largest difference over largest entry."""
    array = np.asarray(values, np.float64)
    assert array.shape == expected.shape
    error = np.abs(array - expected).max() / np.abs(expected).max()
    assert error <= tolerance, f"relative error {error:.2e}"


def assert_bytes(values: np.ndarray, expected: np.ndarray, *, share: float = 0.01) -> None:
    """Bytes of another OpenCV may round a few pixels the other way after a Lanczos warp."""
    apart = np.abs(values.astype(int) - expected.astype(int))
    assert apart.max() <= 4
    assert (apart > 1).mean() <= share


def filled(network: nn.Module) -> nn.Module:
    network.load_state_dict(filled_state({key: list(value.shape) for key, value in network.state_dict().items()}))
    return network.eval()


def shapes(network: nn.Module) -> dict[str, list[int]]:
    return {key: list(value.shape) for key, value in network.state_dict().items()}


def img(channels: int, height: int, width: int) -> Tensor:
    """(C, H, W) in .05...95."""
    channel, row, column = np.ogrid[:channels, :height, :width]
    values = 0.5 + 0.45 * np.sin(0.06 * (channel + 1) * row + 0.045 * column + 0.7 * channel)
    return torch.from_numpy(values.astype(np.float32))


def img_bytes(picture: Tensor) -> np.ndarray:
    """(3, H, W) in 0..1 → (H, W, 3) uint8, truncated."""
    return (picture.permute(1, 2, 0).numpy() * 255).astype(np.uint8)


def ellipse() -> Tensor:
    row, column = np.ogrid[:256, :256]
    inside = ((row - 128) / 100) ** 2 + ((column - 128) / 80) ** 2 < 1
    return torch.from_numpy(inside.astype(np.float32))


def condition(step: int) -> Tensor:
    """Condition pictures (10, 256, 256) of one frame."""
    pictures = (img(10, 256, 256) + 0.1 * step) % 1.0
    pictures[9] = ellipse()
    return pictures


def boxes() -> np.ndarray:
    """(60, 4): a wobbling box with outliers."""
    step = np.arange(60)[:, None]
    box = np.array([[150.0, 90.0, 290.0, 280.0]]) + 6 * np.sin(0.21 * step + np.arange(4))
    box = box + rng("ned.boxes").standard_normal((60, 4))
    box[[7, 30, 31]] += 60.0
    return box


def face_pixels() -> np.ndarray:
    """(256, 256) bool: an ellipse with a notch, and a blob apart."""
    row, column = np.mgrid[:256, :256]
    face = ((row - 130) / 92.0) ** 2 + ((column - 126) / 70.0) ** 2 < 1
    face |= (row - 225) ** 2 + (column - 225) ** 2 < 18**2
    face[40:60, 110:140] = False
    return face


def head_arrays() -> dict[str, np.ndarray]:
    """A made-up head of 97 points: a sheet of 9 × 9 and one of 4 × 4 in front of it."""

    def sheet(side: int, width: float, depth: float, bend: float) -> np.ndarray:
        v, u = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side), indexing="ij")
        return np.stack([width * u, -width * v, depth - bend * (u * u + v * v)], -1).reshape(-1, 3)

    def quads(side: int, start: int) -> list[list[int]]:
        faces = []
        for row in range(side - 1):
            for column in range(side - 1):
                a = start + row * side + column
                faces += [[a, a + side, a + 1], [a + 1, a + side, a + side + 1]]
        return faces

    def uv(side: int, x0: float, x1: float, y0: float, y1: float) -> np.ndarray:
        v, u = np.meshgrid(np.linspace(0, 1, side), np.linspace(0, 1, side), indexing="ij")
        return np.stack([x0 + (x1 - x0) * u, y1 - (y1 - y0) * v], -1).reshape(-1, 2)

    def normalised(name: str, shape: tuple[int, ...], offset: Any = 0.1) -> np.ndarray:
        values = rng(f"flame.{name}").random_sample(shape) + offset
        return values / values.sum(-1, keepdims=True)

    template = np.concatenate([sheet(9, 0.1, 0.03, 0.05), sheet(4, 0.035, 0.07, 0.02)])
    faces = np.array(quads(9, 0) + quads(4, 81))
    count, triangles = len(template), len(faces)
    return {
        "template": template,
        "faces": faces,
        "uv": np.concatenate([uv(9, 0.05, 0.95, 0.35, 0.95), uv(4, 0.3, 0.7, 0.05, 0.3)]),
        "uv_faces": faces,
        "directions": 0.002 * rng("flame.shapedirs").standard_normal((count, 3, 150)),
        "pose_directions": 0.001 * rng("flame.posedirs").standard_normal((36, count * 3)),
        "joint_regressor": normalised("J_regressor", (5, count), 0.0),
        "weights": normalised("weights", (count, 5), np.array([0.1, 1.0, 1.0, 0.1, 0.1])),
        "static_faces": rng("flame.static_faces").randint(0, triangles, 51),
        "static_weights": normalised("static_bary", (51, 3)),
        "contour_faces": rng("flame.dynamic_faces").randint(0, triangles, (79, 17)),
        "contour_weights": normalised("dynamic_bary", (79, 17, 3)),
    }


def as_tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    return {
        name: torch.from_numpy(array.astype(np.int64 if array.dtype.kind == "i" else np.float32))
        for name, array in arrays.items()
    }


def head_model() -> FlameModel:
    return FlameModel(**as_tensors(head_arrays()))


class HeadPose:
    """Parameters and detail maps of one made-up head."""

    shape = torch.from_numpy(0.8 * rng("flame.shape").standard_normal((1, 100))).float()
    expression = torch.from_numpy(0.8 * rng("flame.exp").standard_normal((1, 50))).float()
    pose = torch.tensor([[0.15, 0.35, -0.1, 0.25, 0.02, -0.03]])
    camera = torch.tensor([[8.0, 0.005, -0.01]])
    detail = torch.from_numpy(0.01 * rng("flame.uv_z").standard_normal((32, 32))).float()
    displacement = torch.from_numpy(0.001 * rng("flame.fixed_dis").standard_normal((32, 32))).float()
    mask = torch.from_numpy((rng("flame.uv_mask").random_sample((32, 32)) > 0.2).astype(np.float32))


def constant_state(keys: Mapping[str, Sequence[int]], value: float = 0.01) -> dict[str, Tensor]:
    """A state dict whose tensors repeat one number, so that files of any network are small."""
    state: dict[str, Tensor] = {}
    for key, shape in keys.items():
        if key.endswith("num_batches_tracked"):
            state[key] = torch.zeros(tuple(shape), dtype=torch.int64)
        else:
            state[key] = torch.full((1,), 1.0 if key.endswith("running_var") else value).expand(tuple(shape))
    return state


__all__ = ["rng", "wave"]


# The files of the FLAME registration page and of DECA that the head model is converted from.
FLAME_FILES = (
    "generic_model.pkl",
    "landmark_embedding.npy",
    "head_template.obj",
    "fixed_displacement_256.npy",
    "uv_face_eye_mask.png",
)
_MANIPULATOR = ("generator", "mapping_network", "style_encoder", "discriminator")


def write_published_ned(folder: Path) -> None:
    """NED's files as published; tensors repeat one number, the renderer is narrow, the head model is made up."""
    folder.mkdir(parents=True, exist_ok=True)
    states = {name: constant_state(manifests()[f"ned_manipulator_{name}"]["keys"]) for name in _MANIPULATOR}
    torch.save(states, folder / "02_nets_finetuned.pth")
    torch.manual_seed(0)
    torch.save(FaceRenderer(width=8).state_dict(), folder / "net_G.pth")
    deca = {name: constant_state(manifests()[f"deca_{name}"]["keys"]) for name in ("E_flame", "E_detail", "D_detail")}
    torch.save(deca, folder / "deca_model.tar")
    write_flame(folder)
    published = [folder / name for name in FLAME_FILES]
    save_file(dict(convert(published).tensors), folder / "flame.safetensors")


def write_flame(folder: Path) -> None:
    """The made-up head as FLAME and DECA publish theirs: pickles, a Wavefront file, a picture."""
    head = head_arrays()
    directions = np.zeros((97, 3, 400))
    directions[..., :100], directions[..., 300:350] = head["directions"][..., :100], head["directions"][..., 100:]
    model = {
        "v_template": head["template"],
        "f": head["faces"].astype(np.uint32),
        "shapedirs": directions,
        "posedirs": head["pose_directions"].T.reshape(97, 3, 36),
        "J_regressor": scipy.sparse.csc_matrix(head["joint_regressor"]),
        "weights": head["weights"],
    }
    (folder / "generic_model.pkl").write_bytes(pickle.dumps(model, protocol=2))
    embedding = {
        "static_lmk_faces_idx": head["static_faces"],
        "static_lmk_bary_coords": head["static_weights"],
        "dynamic_lmk_faces_idx": torch.from_numpy(head["contour_faces"]),
        "dynamic_lmk_bary_coords": torch.from_numpy(head["contour_weights"]),
    }
    np.save(folder / "landmark_embedding.npy", np.array(embedding, dtype=object), allow_pickle=True)
    lines = [f"vt {u} {v}" for u, v in head["uv"]]
    lines += ["f " + " ".join(f"{i + 1}/{i + 1}" for i in face) for face in head["faces"]]
    (folder / "head_template.obj").write_text("\n".join(lines))
    np.save(folder / "fixed_displacement_256.npy", np.zeros((256, 256)))
    cv2.imwrite(str(folder / "uv_face_eye_mask.png"), np.full((256, 256, 3), 255, np.uint8))


def write_published_sserd(folder: Path) -> None:
    """SSERD's checkpoint at its full size, weights random."""
    with torch.device("meta"):
        keys = shapes(Sserd())
    random = torch.Generator().manual_seed(0)
    state = {key: _sserd_value(key, tuple(shape), random) for key, shape in keys.items()}
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": state, "latent_avg": torch.zeros(18, 512)}, folder / "sserd.pt")


def _sserd_value(key: str, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    if key.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    if key.endswith("running_var"):
        return torch.ones(shape)
    if key.endswith(("kernel", "blur_weight")):
        return torch.full(shape, 1 / 9)
    return 0.02 * torch.randn(shape, generator=random)
