"""Colour tags of a video and the exact matrices between its samples and 8-bit RGB (ITU-T H.273)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .pixel_format import PixelLayout

UNSPECIFIED = 2
LIMITED_RANGE, FULL_RANGE = 1, 2
BT709, BT470BG, SMPTE170M, YCGCO = 1, 5, 6, 8
_HD_LINES = 720

# H.273 table 4: the shares of red and blue in luma, by matrix code.
_LUMA_SHARES = {
    BT709: (0.2126, 0.0722),
    4: (0.30, 0.11),
    BT470BG: (0.299, 0.114),
    SMPTE170M: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ColourTags:
    """H.273 code points as libav stores them (2 = unspecified; range: 0 unspecified, 1 limited, 2 full)."""

    matrix: int = UNSPECIFIED
    range: int = 0
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED


def guessed_matrix(tags: ColourTags, lines: int) -> int:
    """The matrix of a clip; where the file does not say, BT.709 from 720 lines on and BT.601 below, as players do."""
    if tags.matrix in _LUMA_SHARES or tags.matrix == YCGCO:
        return tags.matrix
    return BT709 if lines >= _HD_LINES else SMPTE170M


def is_full_range(tags: ColourTags, layout: PixelLayout) -> bool:
    """Whether black and white are the ends of the integer range (grey pictures are, unless they say otherwise)."""
    if layout.always_full_range or tags.range == FULL_RANGE:
        return True
    return layout.is_gray and tags.range != LIMITED_RANGE


def _forward(matrix: int) -> np.ndarray:
    """RGB (0..1) to luma (0..1) and two colour differences (-0.5..0.5); 3 x 3 float64."""
    if matrix == YCGCO:
        return np.array([[0.25, 0.5, 0.25], [-0.25, 0.5, -0.25], [0.5, 0.0, -0.5]])
    red, blue = _LUMA_SHARES[matrix]
    luma = np.array([red, 1.0 - red - blue, blue])
    to_blue = (np.array([0.0, 0.0, 1.0]) - luma) / (2.0 * (1.0 - blue))
    to_red = (np.array([1.0, 0.0, 0.0]) - luma) / (2.0 * (1.0 - red))
    return np.stack([luma, to_blue, to_red])


@lru_cache(maxsize=64)
def samples_from_rgb(layout: PixelLayout, matrix: int, full_range: bool) -> np.ndarray:
    """float64 (3, 4): samples in the order of ``layout.planes`` = M @ (r, g, b, 1), RGB 0..255 (grey: luma rows)."""
    top = layout.maximum
    if layout.is_rgb:
        return np.hstack([np.eye(3) * top / 255.0, np.zeros((3, 1))])
    unit = 1 << (layout.bits - 8)
    scale = np.array([top, top, top]) if full_range else np.array([219.0, 224.0, 224.0]) * unit
    offset = np.array([0.0 if full_range else 16.0 * unit, 128.0 * unit, 128.0 * unit])
    forward = _forward(matrix)
    if layout.is_gray:
        forward, scale, offset = forward[[0, 0, 0]], scale[[0, 0, 0]], offset[[0, 0, 0]]
    return np.hstack([forward * scale[:, None] / 255.0, offset[:, None]])


@lru_cache(maxsize=64)
def rgb_from_samples(layout: PixelLayout, matrix: int, full_range: bool) -> np.ndarray:
    """float64 (3, 4): (r, g, b) 0..255 = M @ (samples, 1); for grey formats give the luma three times."""
    from_rgb = samples_from_rgb(layout, matrix, full_range)
    if layout.is_gray:
        scale = from_rgb[0, :3].sum()
        return np.hstack([np.eye(3) / scale, np.full((3, 1), -from_rgb[0, 3] / scale)])
    back = np.linalg.inv(from_rgb[:, :3])
    return np.hstack([back, -back @ from_rgb[:, 3:]])
