"""FLAME's and DECA's published files → one safetensors file, without running what their pickles ask for.

FLAME is a pickle of numpy arrays, scipy sparse matrices and chumpy arrays; DECA's landmark embedding is a numpy file
around a pickle that may hold torch tensors. An unpickler that knows these few names reads them; any other is refused.
"""

from __future__ import annotations

import codecs
import io
import pickle
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import scipy.sparse
import torch
from torch import Tensor
from torch._utils import _rebuild_tensor_v2

from ...errors import WeightsError
from ...progress import Progress, silent
from ...weights.convert import Converted

_SHAPE, _EXPRESSION = 100, 50
_FIRST_EXPRESSION = 300  # in files that hold 300 shape and 100 expression directions
_UV_SIDE = 256


class _Chumpy:
    """A chumpy array, of which only the values are read."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.values = np.asarray(state["x"])


def _tensor(data: bytes) -> Any:
    return torch.load(io.BytesIO(data), weights_only=True)


# What these files may name, and what stands for it; a module is also known by how later versions call it.
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("chumpy.ch", "Ch"): _Chumpy,
    ("torch.storage", "_load_from_bytes"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor_v2,
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): codecs.encode,  # bytes, as Python 3 writes them for Python 2
}


class _Unpickler(pickle.Unpickler):
    """Reads arrays only; a pickle that names anything else is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name in ("_reconstruct", "scalar"):
            return super().find_class(module, name)
        if module.startswith("scipy.sparse") and name in ("csc_matrix", "csr_matrix"):
            return getattr(scipy.sparse, name)
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _ALLOWED[module, name]


def _unpickled(path: Path, stream: io.BufferedIOBase) -> Any:
    try:
        return _Unpickler(stream, encoding="latin1").load()
    except Exception as error:  # damaged bytes make the unpickler fail in any way it likes
        raise WeightsError(f"{path} is refused or damaged: {error}; get it from its authors again") from None


def _array(value: Any) -> np.ndarray:
    if isinstance(value, _Chumpy):
        value = value.values
    if scipy.sparse.issparse(value):
        value = value.toarray()
    return np.asarray(value.numpy() if isinstance(value, Tensor) else value)


def convert(files: Sequence[Path], *, progress: Progress = silent) -> Converted:
    """Convert FLAME and what DECA adds to it.

    Args:
        files: ``generic_model.pkl``, ``landmark_embedding.npy``, ``head_template.obj``, ``fixed_displacement_256.npy``
            and ``uv_face_eye_mask.png``, in any order, told apart by their endings and contents.
        progress: Hears of each file.

    Returns:
        The tensors that :class:`.flame.FlameModel` and :class:`.conditions.DetailMaps` hold.

    Raises:
        WeightsError: A file is missing, damaged, of another kind, or asks for program code.
    """
    tensors: dict[str, np.ndarray] = {}
    for done, path in enumerate(files, start=1):
        ending = path.suffix.lower()
        if ending == ".pkl":
            with path.open("rb") as stream:
                tensors |= _model(path, _unpickled(path, stream))
        elif ending == ".npy":
            tensors |= _numpy_file(path)
        elif ending == ".obj":
            tensors |= _template(path)
        elif ending == ".png":
            mask = cv2.imread(str(path))
            if mask is None:
                raise WeightsError(f"{path} is not a picture; get uv_face_eye_mask.png from DECA's data again")
            small = cv2.resize(mask, (_UV_SIDE, _UV_SIDE), interpolation=cv2.INTER_NEAREST)
            tensors["detail.mask"] = small[..., 2] / np.float32(255)
        progress("Converting", done, len(files))
    needed = {"template", "faces", "static_faces", "contour_faces", "uv", "detail.displacement", "detail.mask"}
    if missing := needed - tensors.keys():
        raise WeightsError(
            f"FLAME: {', '.join(sorted(missing))} is in none of the files; give generic_model.pkl, "
            "landmark_embedding.npy, head_template.obj, fixed_displacement_256.npy and uv_face_eye_mask.png"
        )
    return Converted(
        tensors={name: _stored(array) for name, array in tensors.items()},
        card={"system": "FLAME (Li et al., 2017) with DECA's maps", "licence": "FLAME licence, non-commercial"},
    )


def _stored(array: np.ndarray) -> Tensor:
    whole = np.issubdtype(array.dtype, np.integer)
    return torch.from_numpy(np.ascontiguousarray(array.astype(np.int64 if whole else np.float32)))


def _model(path: Path, model: Any) -> dict[str, np.ndarray]:
    try:
        directions = _array(model["shapedirs"])
        first = _FIRST_EXPRESSION if directions.shape[2] >= _FIRST_EXPRESSION + _EXPRESSION else _SHAPE
        pose = _array(model["posedirs"])
        return {
            "template": _array(model["v_template"]),
            "faces": _array(model["f"]).astype(np.int64),
            "directions": np.concatenate(
                [directions[..., :_SHAPE], directions[..., first : first + _EXPRESSION]], axis=2
            ),
            "pose_directions": pose.reshape(-1, pose.shape[-1]).T,
            "joint_regressor": _array(model["J_regressor"]),
            "weights": _array(model["weights"]),
        }
    except (KeyError, TypeError, IndexError) as error:
        raise WeightsError(
            f"{path} is not FLAME's generic model ({error}); use the file the model table names"
        ) from error


def _numpy_file(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as stream:
        try:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            _, _, dtype = read(stream)
        except ValueError as error:
            raise WeightsError(f"{path} is not a numpy file ({error}); get it again") from None
        if not dtype.hasobject:
            stream.seek(0)
            return {"detail.displacement": np.load(stream, allow_pickle=False)}
        held = _unpickled(path, stream)
    embedding = held.item() if isinstance(held, np.ndarray) else held
    try:
        return {
            "static_faces": _array(embedding["static_lmk_faces_idx"]).astype(np.int64),
            "static_weights": _array(embedding["static_lmk_bary_coords"]),
            "contour_faces": _array(embedding["dynamic_lmk_faces_idx"]).astype(np.int64),
            "contour_weights": _array(embedding["dynamic_lmk_bary_coords"]),
        }
    except (KeyError, TypeError) as error:
        raise WeightsError(f"{path} is not DECA's landmark embedding ({error}); get it from DECA's data") from error


def _template(path: Path) -> dict[str, np.ndarray]:
    """Texture coordinates and their triangles of a Wavefront file."""
    uv: list[list[float]] = []
    faces: list[list[int]] = []
    for line in path.read_text().splitlines():
        words = line.split()
        if words[:1] == ["vt"]:
            uv.append([float(word) for word in words[1:3]])
        elif words[:1] == ["f"]:
            faces.append([int(word.split("/")[1]) - 1 for word in words[1:4]])
    if not uv or not faces:
        raise WeightsError(f"{path} has no texture coordinates; get head_template.obj from DECA's data")
    return {"uv": np.array(uv), "uv_faces": np.array(faces)}
