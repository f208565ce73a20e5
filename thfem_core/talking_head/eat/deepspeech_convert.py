"""The constants of DeepSpeech's frozen TensorFlow graph, read without TensorFlow.

A frozen graph is a protocol buffer: GraphDef.node (1) → NodeDef.name (1), .op (2), .attr (5, a map) → AttrValue.tensor
(8) → TensorProto.dtype (1), .tensor_shape (2) → dim (2) → size (1), .tensor_content (4) or .float_val (5). Of these
messages only the wire format is needed (Protocol Buffers, "Encoding").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...errors import WeightsError
from ...progress import Progress, silent
from ...weights.convert import Converted
from .deepspeech import DeepSpeech

_FLOAT = 1  # DT_FLOAT
_LARGEST = 1 << 26  # numbers in a tensor; DeepSpeech's largest has 50 million
_FORGET_BIAS = 1.0  # the graph adds it when it runs


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Split a message into its fields.

    Args:
        data: Bytes of the message.

    Yields:
        Number and value of each field: an integer, or the bytes of a string, message or fixed number.

    Raises:
        ValueError: The bytes are no message.
    """
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, position = _varint(data, position)
            yield number, value
            continue
        if kind == 2:
            length, position = _varint(data, position)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if position + length > len(data):
            raise ValueError("it ends inside a field")
        yield number, data[position : position + length]
        position += length


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise ValueError("it ends inside a number")
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return value, position


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message is due")
    return value


def _number(value: int | memoryview) -> int:
    if not isinstance(value, int):
        raise ValueError("a message where a number is due")
    return value


def _tensor(data: memoryview) -> np.ndarray | None:
    """A TensorProto of floats; None for other types."""
    dtype, content = 0, b""
    shape: list[int] = []
    values: list[bytes] = []
    for number, value in fields(data):
        if number == 1:
            dtype = _number(value)
        elif number == 2:
            dimensions = [_message(v) for n, v in fields(_message(value)) if n == 2]
            shape = [next((_number(v) for n, v in fields(d) if n == 1), 0) for d in dimensions]
        elif number == 4:
            content = bytes(_message(value))
        elif number == 5:
            values.append(bytes(_message(value)))
    if dtype != _FLOAT:
        return None
    if not all(size < _LARGEST for size in shape) or prod(shape) > _LARGEST:
        raise ValueError(f"a tensor of shape {shape}")
    flat = np.frombuffer(content or b"".join(values), "<f4")
    # One value stands for all.
    return np.full(shape, flat[0]) if flat.size == 1 else flat.reshape(shape)


def graph_constants(path: Path) -> dict[str, np.ndarray]:
    """Name → float32 array of every constant of a frozen graph. Raises WeightsError."""
    constants: dict[str, np.ndarray] = {}
    try:
        with path.open("rb") as file:
            data = memoryview(file.read())
        for number, node in fields(data):
            if number != 1:
                continue
            parts = [(n, v) for n, v in fields(_message(node))]
            name = next((bytes(_message(v)).decode() for n, v in parts if n == 1), "")
            if not any(n == 2 and bytes(_message(v)) == b"Const" for n, v in parts):
                continue
            for entry in (_message(v) for n, v in parts if n == 5):
                pair = dict(fields(entry))
                if bytes(_message(pair.get(1, memoryview(b"")))) == b"value":
                    tensors = [_message(v) for n, v in fields(_message(pair[2])) if n == 8]
                    array = _tensor(tensors[0]) if tensors else None
                    if array is not None:
                        constants[name] = array
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise WeightsError(f"{path} is no frozen TensorFlow graph ({error}); unpack output_graph.pb again") from None
    return constants


def _lstm(kernel: np.ndarray, bias: np.ndarray, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """TensorFlow's (inputs + width, 4 · width) in the order input, new, forget, output → PyTorch's input, forget, new,
    output: weights of the input, of the state, bias with the forget bias in it."""
    i, new, forget, out = np.split(kernel.T, 4)
    weight = np.concatenate([i, forget, new, out])
    bi, bnew, bforget, bout = np.split(bias, 4)
    joined = np.concatenate([bi, bforget + _FORGET_BIAS, bnew, bout])
    parts = (weight[:, :-width], weight[:, -width:], joined)
    return tuple(torch.from_numpy(np.array(part, np.float32)) for part in parts)  # type: ignore[return-value]


def tensors_of_graph(path: Path) -> dict[str, Tensor]:
    """The state dict of :class:`.deepspeech.DeepSpeech`. Raises WeightsError where constants are missing."""
    constants = graph_constants(path)

    def constant(name: str) -> np.ndarray:
        found = [array for key, array in constants.items() if key == name or key.endswith(f"/{name}")]
        if len(found) != 1:
            raise WeightsError(f"{path} holds {len(found)} constants {name!r}, not 1; use DeepSpeech 0.1.0")
        return found[0]

    state: dict[str, Tensor] = {}
    try:
        for layer, number in (("first", 1), ("second", 2), ("third", 3), ("fifth", 5), ("sixth", 6)):
            state[f"{layer}.weight"] = torch.from_numpy(np.array(constant(f"h{number}").T, np.float32))
            state[f"{layer}.bias"] = torch.from_numpy(np.array(constant(f"b{number}"), np.float32))
        width = len(state["first.bias"])
        for direction, suffix in (("fw", ""), ("bw", "_reverse")):
            cell = f"{direction}/basic_lstm_cell"
            inputs, states, bias = _lstm(constant(f"{cell}/kernel"), constant(f"{cell}/bias"), width)
            state |= {f"lstm.weight_ih_l0{suffix}": inputs, f"lstm.weight_hh_l0{suffix}": states}
            state |= {f"lstm.bias_ih_l0{suffix}": bias, f"lstm.bias_hh_l0{suffix}": torch.zeros_like(bias)}
    except ValueError as error:
        raise WeightsError(f"{path} is the graph of another network ({error}); use DeepSpeech 0.1.0") from None
    _check_architecture(state, width, path)
    return state


def _check_architecture(state: dict[str, Tensor], width: int, path: Path) -> None:
    """Other versions of DeepSpeech use the same names for layers of other sizes. Raises WeightsError."""
    with torch.device("meta"):
        expected = {key: tuple(tensor.shape) for key, tensor in DeepSpeech(width).state_dict().items()}
    for key, shape in expected.items():
        found = tuple(state[key].shape) if key in state else None
        if found != shape:
            raise WeightsError(
                f"{path} is the graph of another network ({key} is {found}, not {shape}); use DeepSpeech 0.1.0"
            )


def convert(files: Sequence[Path], *, progress: Progress = silent) -> Converted:
    """``output_graph.pb`` of DeepSpeech 0.1.0 → tensors. Raises WeightsError."""
    if len(files) != 1:
        raise WeightsError(f"DeepSpeech is converted from one file, output_graph.pb; {len(files)} were given")
    tensors = tensors_of_graph(files[0])
    progress("Converting", 1, 1)
    return Converted(
        tensors=tensors,
        card={
            "system": "DeepSpeech 0.1.0",
            "licence": "MPL-2.0",
            "forget_bias": "added to the LSTM's bias",
            "gates": "input, forget, new, output",
        },
    )
