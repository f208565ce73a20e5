"""Reading what an earlier run left, which may be damaged by now, and writing where one may not."""

from __future__ import annotations

import csv
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from thfem_core.errors import InputError, OutputError
from thfem_core.media.atomic import complete_file, output_error


@contextmanager
def reading(path: Path, *, remedy: str) -> Iterator[None]:
    """Name the file in whatever goes wrong while it is read.

    Args:
        path: A JSON, TOML, CSV or NumPy file that is read in the block.
        remedy: Says what to do where it is damaged.

    Raises:
        InputError: It is missing, or holds something else, in one line.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"there is no {error.filename or path}; {remedy}") from None
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        csv.Error,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{path} is damaged ({reason}); {remedy}") from error


def check_folder(path: Path) -> None:
    """Find out, before hours of work, whether a folder is there or can be made. Raises OutputError where not."""
    try:
        there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    except OSError as error:  # such as a name that is too long
        raise output_error(error, path) from error
    if not there.is_dir():
        raise OutputError(f"cannot write to the folder {path}: {there} is a file; choose another folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write to the folder {path}: {there} is not writable; choose another folder")


def make_folder(path: Path) -> None:
    """Make a folder with those around it, where it is not there yet. Raises OutputError where that cannot be."""
    check_folder(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(error, path) from error


def save_tensors(path: Path, tensors: dict[str, Tensor], notes: dict[str, str]) -> None:
    """Write a ``.safetensors`` file, which appears when it is complete.

    Args:
        path: The file.
        tensors: On the CPU, contiguous, by name.
        notes: Its metadata.

    Raises:
        OutputError: It cannot be written.
    """
    with complete_file(path) as part:
        try:
            save_file(tensors, part, notes)
        except SafetensorError as error:  # of the disk, as OSError of others
            reason = " ".join(str(error).split())
            raise OutputError(f"cannot write {path}: {reason}; choose another folder") from None
