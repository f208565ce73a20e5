"""Still pictures from files."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import InputError
from .source import check_file, open_media

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".avif")
# What PIL reads without help of other programs; JPEG includes MPO, AVIF is known from version 11.3 on.
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "JPEG2000", "PPM", "TGA", "ICO", "QOI")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1")
_VIDEO_BRANDS = (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"qt  ")
# A photograph of 200 megapixels is read; a bomb, whose file is small and whose picture fills the memory, is not.
_MOST_PIXELS = 1 << 28


def is_still(path: str | os.PathLike[str]) -> bool:
    """Whether a file is one picture, by its content, or where that is unknown by its name; animations are none."""
    brand = _brand(path)
    if brand in _HEIF_BRANDS or brand in _VIDEO_BRANDS:
        return brand in _HEIF_BRANDS  # PIL, which takes a while to load its formats, is not asked
    try:
        with _opened(path) as picture:
            return picture.format in ("MPO", "TIFF") or getattr(picture, "n_frames", 1) == 1
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return Path(path).suffix.lower() in PICTURE_SUFFIXES


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Read a picture, turned upright by its EXIF tag.

    Args:
        path: a picture file of any kind that PIL or libav reads.

    Returns:
        uint8 RGB (H, W, 3).

    Raises:
        InputError: it is missing, no picture, damaged, or too large.
    """
    check_file(path)
    name = Path(path).name
    if _brand(path) in _HEIF_BRANDS:
        return _heif(path)
    try:
        with _opened(path) as picture:
            _check_size(name, *picture.size)
            if picture.mode.startswith(("I", "F")):  # deeper than 8 bits, which OpenCV scales
                return _deep(path)
            upright = ImageOps.exif_transpose(picture)
            return np.array(upright.convert("RGB"))
    except UnidentifiedImageError:
        raise InputError(f"{name} is not an image that can be read; save it as PNG or JPEG") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise InputError(f"{name} is damaged and cannot be read ({error}); copy or export it again") from error


def _opened(path: str | os.PathLike[str]) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on its size, which is checked here
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            Image.init()
            return Image.open(path, formats=[each for each in _FORMATS if each in Image.OPEN])
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _deep(path: str | os.PathLike[str]) -> np.ndarray:
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{Path(path).name} is not an image that can be read; save it as PNG or JPEG")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _brand(path: str | os.PathLike[str]) -> bytes | None:
    """The brand of a file in ISO's base format (MP4, MOV, HEIC, AVIF); None for all others."""
    try:
        with open(path, "rb") as file:
            head = file.read(12)
    except (OSError, ValueError):
        return None
    return head[8:12] if head[4:8] == b"ftyp" else None


def _heif(path: str | os.PathLike[str]) -> np.ndarray:
    """A HEIC picture. Phones cut theirs into tiles, which only libheif puts together; libav gives them one by one."""
    name = Path(path).name
    try:
        from pillow_heif import open_heif
    except ImportError:
        return _whole_heif(path)
    try:
        picture = open_heif(os.fspath(path), convert_hdr_to_8bit=True)
        width, height = picture.size
        _check_size(name, width, height)
        return np.array(ImageOps.exif_transpose(picture.to_pillow()).convert("RGB"))
    except (OSError, ValueError, RuntimeError, SyntaxError, EOFError) as error:
        raise InputError(f"{name} is damaged and cannot be read ({error}); copy or export it again") from error


def _whole_heif(path: str | os.PathLike[str]) -> np.ndarray:
    """A HEIC picture that is not cut into tiles, by libav."""
    with open_media(path) as container:
        pictures = container.streams.video
        if len(pictures) == 1:
            for frame in container.decode(pictures[0]):
                return frame.to_ndarray(format="rgb24")
    raise InputError(
        f"{Path(path).name} is a HEIC picture in tiles, which needs another package; run: pip install pillow-heif, or "
        "save it as PNG or JPEG"
    )


def _check_size(name: str, width: int, height: int) -> None:
    if width * height > _MOST_PIXELS:
        raise InputError(f"{name} has {width}x{height} pixels, more than fits in memory; make it smaller")
