"""Reading what an earlier run left, which may be damaged by now."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thfem_core.errors import InputError


@contextmanager
def reading(path: Path, *, remedy: str) -> Iterator[None]:
    """Name the file in whatever goes wrong while it is read.

    Args:
        path: A JSON, TOML or NumPy file that is read in the block.
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
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{path} is damaged ({reason}); {remedy}") from error
