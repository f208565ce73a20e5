"""Official checkpoints → one safetensors file and a JSON card beside it, by a converter of each system."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from safetensors.torch import save_file
from torch import Tensor

from .. import __version__
from ..errors import InputError
from ..media.atomic import complete_file
from ..progress import Progress, silent
from ..registry import Registry
from .checksum import sha256_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Converted:
    """tensors: flat, by key. card: facts of the system's own (anything JSON can hold), such as the epoch or what was
    folded and left out."""

    tensors: Mapping[str, Tensor]
    card: Mapping[str, Any]


class Converter(Protocol):
    """Reads the official files (in any order, told apart by what is in them). Raises WeightsError."""

    def __call__(self, files: Sequence[Path], *, progress: Progress = silent) -> Converted: ...


converters: Registry[Converted] = Registry("converter", package=__package__ or "thfem_core.weights")
converters.register("eat", "..talking_head.eat.convert:convert")
converters.register("eamm", "..talking_head.eamm.convert:convert")
converters.register("deepspeech", "..talking_head.eat.deepspeech_convert:convert")


def convert_files(name: str, files: Sequence[Path], output: Path, *, progress: Progress = silent) -> Path:
    """Convert ``files`` by the converter ``name``; write ``output`` (.safetensors) and its card (.json). Both appear
    complete or not at all; returns the card's path.

    Raises InputError (unknown converter, file missing, wrong ending), WeightsError (not the official files) and
    OutputError.
    """
    convert = converters.load(name)
    if output.suffix != ".safetensors":
        raise InputError(f"{output} must end in .safetensors")
    for file in files:
        if not file.is_file():
            raise InputError(f"there is no file {file}")
    with complete_file(output) as path, complete_file(output.with_suffix(".json")) as card_path:
        converted = convert(files, progress=progress)
        card = {
            "model": name,
            "converted_by": f"thfem {__version__}",
            "files": [{"name": file.name, "size": file.stat().st_size, "sha256": sha256_of(file)} for file in files],
            "tensors": len(converted.tensors),
            "parameters": sum(tensor.numel() for tensor in converted.tensors.values()),
            **converted.card,
        }
        text = json.dumps(card, indent=2)
        tensors = {key: tensor.contiguous() for key, tensor in converted.tensors.items()}
        save_file(tensors, path, metadata={"card": text})
        card_path.write_text(text + "\n", encoding="utf-8")
        shutil.copymode(card_path, path)  # safetensors makes files that only their owner may read
    return output.with_suffix(".json")
