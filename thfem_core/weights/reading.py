"""Reading model files without running anything that is inside them, and filling networks strictly."""

from __future__ import annotations

import codecs
import pickle
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import WeightsError
from .model import EMBEDDED_FOLDER

Shapes = Mapping[str, tuple[int | str, ...]]
_SHOWN = 3  # keys named in an error


class _Entries(dict[str, Any]):
    """What a model file holds, by name; a name that is not there is the fault of the file."""

    file: Path

    def __missing__(self, key: str) -> Any:
        raise WeightsError(f"{self.file} is damaged ({key} is missing); install the package again")


def embedded_tensors(
    name: str, *, maker: str, shapes: Shapes | None = None, folder: Path = EMBEDDED_FOLDER
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a model file that ships with the package.

    Args:
        name: File name, such as ``face_basis.safetensors``.
        maker: Script of this repository that makes the file, for the message.
        shapes: What the file must hold, see :func:`check_shapes`; None where a network checks its own tensors.
        folder: Where the file lies.

    Returns:
        Tensors by name on the CPU, numbers with a fraction as float32; and the notes in the file.

    Raises:
        WeightsError: The file is missing, damaged, or holds other tensors.
    """
    path = folder / name
    try:
        with safe_open(path, framework="pt") as file:
            tensors = _Entries({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118 - not a mapping
            notes = _Entries(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        state = "damaged" if path.is_file() else "missing"
        raise WeightsError(
            f"{name} is {state} in {folder}; it ships with the package: install it again, or make it with {maker} "
            f"({' '.join(str(error).split())})"
        ) from None
    tensors.file = notes.file = path
    check_shapes(tensors, shapes or {}, what=str(path), remedy="install the package again")
    for key, tensor in tensors.items():
        if tensor.is_floating_point():
            tensors[key] = tensor.float()
            if not torch.isfinite(tensors[key]).all():
                raise WeightsError(f"{path} is damaged ({key} has numbers that are none); install the package again")
    return tensors, notes


def check_shapes(tensors: Mapping[str, Tensor], shapes: Shapes, *, what: str, remedy: str) -> None:
    """Check the tensors of a model file that no network checks.

    Args:
        tensors: What the file holds.
        shapes: Size of each dimension by name of the tensor; a letter stands for any size, the same wherever it stands.
        what: Names the file for the message.
        remedy: Says in the message what to do.

    Raises:
        WeightsError: A tensor is missing or of another shape.
    """
    sizes: dict[str, int] = {}
    for key, wanted in shapes.items():
        shape = tuple(tensors[key].shape) if key in tensors else None
        if shape is None:
            raise WeightsError(f"{what} is another file or damaged ({key} is missing); {remedy}")
        fits = len(shape) == len(wanted) and all(
            size == (sizes.setdefault(each, size) if isinstance(each, str) else each)
            for size, each in zip(shape, wanted, strict=True)
        )
        if not fits:
            known = ", ".join(str(sizes.get(each, each) if isinstance(each, str) else each) for each in wanted)
            raise WeightsError(f"{what} is another file or damaged ({key} is {shape} instead of ({known})); {remedy}")


def listed_names(notes: Mapping[str, str], key: str, *, count: int, what: str) -> tuple[str, ...]:
    """Read the names that the notes of an embedded file give to its entries.

    Args:
        notes: Notes of the file.
        key: Which of them; its names are separated by commas.
        count: How many entries the file has.
        what: Names the file for the message.

    Returns:
        The names.

    Raises:
        WeightsError: They are missing, or of another number.
    """
    names = tuple(notes[key].split(","))
    if len(names) != count:
        raise WeightsError(f"{what} is damaged ({len(names)} {key} for {count} entries); install the package again")
    return names


@contextmanager
def _allowed_classes(classes: Sequence[Any]) -> Iterator[None]:
    """Let checkpoints hold some harmless classes meanwhile; PyTorch 2.4 can only add them for good, and forget all."""
    if hasattr(torch.serialization, "safe_globals"):
        with torch.serialization.safe_globals(list(classes)):
            yield
        return
    before = torch.serialization.get_safe_globals()
    # it also lacks the one function by which Python 3 writes bytes for Python 2
    torch.serialization.add_safe_globals([*classes, codecs.encode] if classes else [])
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


def safe_load(path: Path, *, allow: Sequence[Any] = ()) -> dict[str, Any]:
    """The dictionary in a ``.safetensors`` file or a PyTorch checkpoint, on the CPU.

    Checkpoints are read with ``weights_only=True``: tensors, numbers, strings and containers; ``allow`` names further
    harmless classes (such as those of numpy scalars). Tensors are memory-mapped where the format permits, so unused
    parts of a checkpoint cost no memory.

    Raises WeightsError where the file is missing, damaged, no dictionary, or holds program code.
    """
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        with _allowed_classes(allow):
            # files from before PyTorch 1.6 are no zip archives and cannot be mapped
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except FileNotFoundError:
        raise WeightsError(f"there is no model file {path}; see `python -m thfem_core models list`") from None
    except pickle.UnpicklingError as error:
        raise _unpickling_error(path, str(error)) from None
    except MemoryError:
        raise
    except Exception as error:  # on damaged bytes the unpickler fails in any way it likes
        raise _damaged(path, error) from None
    if not isinstance(loaded, dict):
        raise WeightsError(f"{path} holds a {type(loaded).__name__}, not a dictionary of tensors; it is another file")
    return loaded


def _damaged(path: Path, error: Exception) -> WeightsError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return WeightsError(f"{path} is damaged or incomplete ({reason}); delete it and get it again")


def _unpickling_error(path: Path, message: str) -> WeightsError:
    found = re.search(r"unsupported global:? (?:global )?<?([\w.]+)", message, re.IGNORECASE)
    if found is None:
        return _damaged(path, ValueError("not a PyTorch checkpoint"))
    return WeightsError(
        f"{path} is refused: it holds program code ({found[1]}), not only tensors; get it from its authors again"
    )


def state_dict(path: Path, *, allow: Sequence[Any] = ()) -> dict[str, Tensor]:
    """The flat state dict in a file: unwrapped from ``{"state_dict": …}``, without the ``module.`` that
    ``nn.DataParallel`` puts before keys. Raises WeightsError, also where other things than tensors are in it."""
    loaded = safe_load(path, allow=allow)
    inner = loaded.get("state_dict", loaded)
    if not isinstance(inner, dict) or not inner or not all(isinstance(value, Tensor) for value in inner.values()):
        raise WeightsError(f"{path} holds no plain state dict (its keys: {_few(map(str, loaded))}); it is another file")
    return {str(key).removeprefix("module."): value for key, value in inner.items()}


def load_strict(module: nn.Module, state: Mapping[str, Tensor], *, what: str, assign: bool = False) -> None:
    """Fill ``module`` with ``state``: same keys, same shapes. ``what`` names model and file for the error.
    assign: take the tensors themselves instead of copying them.

    Raises WeightsError that names the first few keys which differ, or whose numbers are none; the module is then
    unchanged.
    """
    own = module.state_dict()
    missing = [key for key in own if key not in state]
    unexpected = [key for key in state if key not in own]
    reshaped = [
        f"{key} is {tuple(state[key].shape)} instead of {tuple(own[key].shape)}"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    faults = (("missing", missing), ("unexpected", unexpected), ("of another shape", reshaped))
    listed = [f"{len(keys)} {kind} ({_few(keys)})" for kind, keys in faults if keys]
    if listed:
        raise WeightsError(
            f"{what} is of another architecture: {', '.join(listed)}; use the file the model table names"
        )
    broken = [key for key, _ in module.named_parameters() if not bool(torch.isfinite(state[key]).all())]
    if broken:
        raise WeightsError(
            f"{what} is damaged: {len(broken)} tensors have numbers that are none ({_few(broken)}); get it again"
        )
    module.load_state_dict(state, assign=assign)


def _few(keys: Any) -> str:
    keys = list(keys)
    return ", ".join(keys[:_SHOWN]) + (", …" if len(keys) > _SHOWN else "")
