"""Writing pictures, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..errors import OutputError
from ..media.atomic import check_output, complete_file

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")


def check_picture_path(path: Path) -> None:
    """Refuse, before long work, a name that no picture can have.

    Raises:
        OutputError: The ending is not one of :data:`PICTURE_SUFFIXES`, or nothing can be written there.
    """
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        raise OutputError(f"{path} is not a picture name; end it with one of: {', '.join(PICTURE_SUFFIXES)}")
    check_output(path)


def save_picture(path: Path, rgb: np.ndarray) -> None:
    """Write a picture.

    Args:
        path: Its ending says whether it becomes a PNG or a JPEG.
        rgb: uint8 RGB (H, W, 3).

    Raises:
        OutputError: It cannot be written; then no file is left.
    """
    encoded, data = cv2.imencode(
        path.suffix,
        cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR),
        [] if path.suffix.lower() == ".png" else [cv2.IMWRITE_JPEG_QUALITY, 88],
    )
    if not encoded:
        raise OutputError(f"cannot encode a {rgb.shape[1]} × {rgb.shape[0]} picture as {path.suffix}")
    with complete_file(path) as temporary:
        temporary.write_bytes(data.tobytes())
