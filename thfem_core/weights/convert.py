"""Published checkpoints, made one safetensors file with a JSON card beside it."""

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
from .checksum import sha256_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Converted:
    """What a converter has read.

    tensors: Flat, by key.
    card: Facts of the system's own (anything JSON can hold), such as the epoch or what was folded and left out.
    """

    tensors: Mapping[str, Tensor]
    card: Mapping[str, Any]


class Converter(Protocol):
    """Reads the published files of a system."""

    def __call__(self, files: Sequence[Path], *, progress: Progress = silent) -> Converted:
        """Read them.

        Args:
            files: The files, in any order; they are told apart by what is in them.
            progress: Hears of slow work.

        Returns:
            Tensors and card.

        Raises:
            WeightsError: These are not the published files.
        """
        ...


def convert_files(
    name: str, files: Sequence[Path], output: Path, *, convert: Converter, progress: Progress = silent
) -> Path:
    """Write the tensors of published files, and a card that says what they are. Both appear complete or not at all.

    Args:
        name: The model, for the card.
        files: The published files.
        output: The safetensors file to write; the card gets the same name with the ending ``.json``.
        convert: Reads the files.
        progress: Handed to ``convert``.

    Returns:
        Path of the card.

    Raises:
        InputError: A file is not there, or the output has another ending.
        WeightsError: These are not the published files.
        OutputError: The output cannot be written.
    """
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
