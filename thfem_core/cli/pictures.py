"""Writing pictures, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

import cv2
import numpy as np

from ..errors import InputError, OutputError

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")


def check_picture_path(path: Path) -> None:
    """Refuse, before long work, a name that no picture can have. Raises InputError or OutputError."""
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        raise InputError(f"{path} is not a picture name; end it with one of: {', '.join(PICTURE_SUFFIXES)}")
    if not path.parent.is_dir():
        raise OutputError(f"the folder {path.parent} does not exist; create it or choose another output")


def save_picture(path: Path, rgb: np.ndarray) -> None:
    """Write uint8 RGB (H, W, 3) as PNG or JPEG by suffix. Raises OutputError, and then leaves no file."""
    encoded, data = cv2.imencode(path.suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    if not encoded:
        raise OutputError(f"cannot encode a {rgb.shape[1]} × {rgb.shape[0]} picture as {path.suffix}")
    part: Path | None = None
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix, delete=False) as file:
            part = Path(file.name)
            file.write(data.tobytes())
        os.replace(part, path)
        part = None
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
