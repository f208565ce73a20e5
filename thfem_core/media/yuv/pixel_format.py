"""Planar pixel formats: which samples lie in which plane, how deep and how subsampled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import av
import numpy as np

_PLANAR_TWIN = {
    "nv12": "yuv420p",
    "nv21": "yuv420p",
    "nv16": "yuv422p",
    "nv24": "yuv444p",
    "nv42": "yuv444p",
    "yuyv422": "yuv422p",
    "yvyu422": "yuv422p",
    "uyvy422": "yuv422p",
    "uyyvyy411": "yuv411p",
    "p010le": "yuv420p10le",
    "p012le": "yuv420p12le",
    "p016le": "yuv420p16le",
    "p210le": "yuv422p10le",
    "y210le": "yuv422p10le",
    "p410le": "yuv444p10le",
    "xv30le": "yuv444p10le",
    "ayuv": "yuva444p",
    "vuya": "yuva444p",
    "ayuv64le": "yuva444p16le",
    "ya8": "gbrap",
    "ya16le": "gbrap16le",
    "ya16be": "gbrap16le",
    "pal8": "gbrap",
    "monow": "gray",
    "monob": "gray",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelLayout:
    """A planar, little-endian integer format.

    planes: indices of the planes that hold (luma, blue difference, red difference), or (red, green, blue), or
    only luma. alpha: index of the transparency plane. bits: significant bits of a sample. shift: log2 of the
    chroma subsampling (horizontal, vertical).
    """

    name: str
    planes: tuple[int, ...]
    alpha: int | None
    bits: int
    shift: tuple[int, int]
    is_rgb: bool

    @property
    def dtype(self) -> np.dtype:
        return np.dtype("<u2" if self.bits > 8 else "u1")

    @property
    def is_gray(self) -> bool:
        return len(self.planes) == 1

    @property
    def maximum(self) -> int:
        return (1 << self.bits) - 1

    @property
    def always_full_range(self) -> bool:
        return self.is_rgb or self.name.startswith("yuvj")

    def plane_shift(self, plane: int) -> tuple[int, int]:
        """log2 subsampling of one plane."""
        return (0, 0) if self.is_rgb or plane in (self.planes[0], self.alpha) else self.shift


@lru_cache(maxsize=64)
def pixel_layout(name: str) -> PixelLayout | None:
    """The layout of a libav pixel format, or None where it is not planar (see :func:`planar_format`)."""
    video_format = av.VideoFormat(name, 64, 64)
    parts = video_format.components
    planes = [part.plane for part in parts]
    bits = {part.bits for part in parts}
    usable = (
        len(set(planes)) == len(planes)
        and not video_format.is_big_endian
        and not video_format.has_palette
        and len(bits) == 1
        and 8 <= max(bits) <= 16
        and not name.startswith(("xyz", "bayer"))
        and not any(mark in name for mark in ("f16", "f32", "msb"))
    )
    if not usable:
        return None
    colour = [part for part in parts if not part.is_alpha]
    alpha = next((part.plane for part in parts if part.is_alpha), None)
    shift = (0, 0)
    if len(colour) == 3 and not video_format.is_rgb:
        shift = ((64 // colour[1].width).bit_length() - 1, (64 // colour[1].height).bit_length() - 1)
    return PixelLayout(
        name=name,
        planes=tuple(part.plane for part in colour),
        alpha=alpha,
        bits=max(bits),
        shift=shift,
        is_rgb=video_format.is_rgb,
    )


def planar_format(name: str) -> str:
    """The planar format that holds every sample of ``name`` without loss (the same name if it is planar)."""
    if pixel_layout(name) is not None:
        return name
    if name in _PLANAR_TWIN:
        return _PLANAR_TWIN[name]
    video_format = av.VideoFormat(name, 64, 64)
    parts = video_format.components
    deep = "16le" if max(part.bits for part in parts) > 8 else ""
    has_alpha = any(part.is_alpha for part in parts)
    if len(parts) == 1:
        return f"gray{deep}"
    if video_format.is_rgb or name.startswith("xyz"):
        return f"gbrap{deep}" if has_alpha else f"gbrp{deep}"
    if name.endswith("be"):
        return f"{name[:-2]}le"
    return f"yuva444p{deep}" if has_alpha else f"yuv444p{deep}"
