"""Files of EAT and EAMM in the layout their authors publish, with random weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from thfem_core.talking_head.eamm import networks as eamm
from thfem_core.talking_head.eamm.convert import convert
from thfem_core.talking_head.eat import networks as eat
from thfem_core.weights.convert import convert_files

ARRAYS = {"U_mead.npy": (45, 45), "mean_mead.npy": (45,), "pad.npy": (16, 29)}
WIDTH = 64  # of DeepSpeech's layers; 2048 in the release


def deepspeech_shapes(width: int) -> dict[str, tuple[int, ...]]:
    """The constants of the released graph, by name; all but ``width`` as in the release."""
    dense = {1: (494, width), 2: (width, width), 3: (width, 2 * width), 5: (2 * width, width), 6: (width, 29)}
    cells = [f"bidirectional_rnn/{direction}/basic_lstm_cell" for direction in ("fw", "bw")]
    return {
        **{f"h{n}": shape for n, shape in dense.items()},
        **{f"b{n}": shape[1:] for n, shape in dense.items()},
        **{f"{cell}/kernel": (3 * width, 4 * width) for cell in cells},
        **{f"{cell}/bias": (4 * width,) for cell in cells},
    }


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _node(name: str, op: str, array: np.ndarray | None = None, *, packed: bool = False) -> bytes:
    body = _field(1, name.encode()) + _field(2, op.encode()) + _field(3, b"input")
    if array is not None:
        shape = b"".join(_field(2, _field(1, size)) for size in array.shape)
        content = array.astype("<f4").tobytes()
        tensor = _field(1, 1) + _field(2, shape) + _field(5 if packed else 4, content)
        body += _field(5, _field(1, b"dtype") + _field(2, _field(6, 1)))
        body += _field(5, _field(1, b"value") + _field(2, _field(8, tensor)))
    return _field(1, body)


def write_graph(path: Path, weights: dict[str, np.ndarray]) -> None:
    """A frozen TensorFlow graph (protocol buffers) with these constants, in both ways of storing floats."""
    nodes = [_node("input_node", "Placeholder")]
    for number, (name, array) in enumerate(weights.items()):
        nodes += [_node(name, "Const", array, packed=number % 2 == 0), _node(f"{name}/read", "Identity")]
    path.write_bytes(b"".join(nodes) + _field(4, _field(1, 24)))


def write_checkpoint(path: Path, makers: Mapping[str, Callable[[], nn.Module]]) -> None:
    """As the published training scripts write it: networks, an optimizer, the epoch."""
    torch.manual_seed(0)
    networks: dict = {name: make().state_dict() for name, make in makers.items()}
    optimizer = {"state": {}, "param_groups": [{"lr": 1e-4, "betas": (0.5, 0.999), "params": [0]}]}
    torch.save(networks | {"optimizer_generator": optimizer, "epoch": 429}, path)


def write_published_eat(folder: Path) -> None:
    """All of EAT's files (0.9 GB), and the graph, which is narrower than the released one."""
    write_checkpoint(folder / "00000429-checkpoint.pth.tar", {**eat.CHECKPOINT_NETWORKS, **eat.TRAINING_NETWORKS})
    random = np.random.default_rng(0)
    for name, shape in ARRAYS.items():
        np.save(folder / name, (0.02 * random.standard_normal(shape)).astype(np.float32))
    shapes = deepspeech_shapes(WIDTH).items()
    weights = {name: (0.1 * random.standard_normal(shape)).astype(np.float32) for name, shape in shapes}
    write_graph(folder / "output_graph.pb", weights)


def write_converted_eamm(folder: Path) -> None:
    """EAMM's checkpoint, converted: the only form in which it is accepted (0.4 GB)."""
    published = folder / "published.pth.tar"
    write_checkpoint(published, eamm.CHECKPOINT_NETWORKS)
    convert_files("eamm", [published], folder / "eamm.safetensors", convert=convert)
    published.unlink()
