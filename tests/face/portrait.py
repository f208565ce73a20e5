"""Faces that may be shown to everybody: one public-domain portrait, turned, scaled, mirrored and relit."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

PORTRAIT = Path(__file__).resolve().parents[1] / "data" / "portrait.png"
SIDE = 256
_FACE = (148.0, 122.0)  # between nose and mouth, pixels of the portrait
_SCALES = (1.2, 1.35, 1.5, 1.65)  # the face fills the picture as in the clips
_TURNS = (-12.0, -7.0, 0.0, 5.0, 10.0, 30.0)


def portrait() -> np.ndarray:
    """uint8 RGB (288, 288, 3)."""
    return cv2.cvtColor(cv2.imread(str(PORTRAIT), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def placed(image: np.ndarray, *, scale: float, degrees: float, at: tuple[float, float], side: int = SIDE) -> np.ndarray:
    """The face of the portrait at ``at`` in a square picture, scaled and turned clockwise, bilinear, edges repeated.

    In numpy, because warps differ in the last bit between versions of OpenCV.
    """
    turn = np.radians(degrees)
    y, x = np.mgrid[:side, :side] + 0.5
    dx, dy = (x - at[0]) / scale, (y - at[1]) / scale
    columns = _FACE[0] + np.cos(turn) * dx + np.sin(turn) * dy - 0.5
    rows = _FACE[1] - np.sin(turn) * dx + np.cos(turn) * dy - 0.5
    left, top = np.floor(columns).astype(int), np.floor(rows).astype(int)
    right_share, low_share = (columns - left)[..., None], (rows - top)[..., None]

    def at_index(row: np.ndarray, column: np.ndarray) -> np.ndarray:
        return image[np.clip(row, 0, image.shape[0] - 1), np.clip(column, 0, image.shape[1] - 1)].astype(np.float64)

    upper = at_index(top, left) * (1 - right_share) + at_index(top, left + 1) * right_share
    lower = at_index(top + 1, left) * (1 - right_share) + at_index(top + 1, left + 1) * right_share
    return np.rint(upper * (1 - low_share) + lower * low_share).astype(np.uint8)


def relit(image: np.ndarray, gain: float, gamma: float) -> np.ndarray:
    """Brightness changed by a factor and a power of the value in 0..1."""
    table = np.clip(gain * np.linspace(0, 1, 256) ** gamma, 0, 1)
    return np.rint(table * 255).astype(np.uint8)[image]


def portrait_variants(side: int = SIDE) -> list[np.ndarray]:
    """24 pictures, uint8 RGB (side, side, 3), always the same to the bit."""
    image = portrait()
    variants = []
    for number, (scale, degrees) in enumerate((s, d) for s in _SCALES for d in _TURNS):
        at = (side / 2 + side / 28 * np.cos(2.4 * number), side / 2 + side / 28 * np.sin(2.4 * number))
        picture = placed(image, scale=scale * side / SIDE, degrees=degrees, at=at, side=side)
        picture = relit(picture, gain=(1.0, 0.7, 1.25)[number % 3], gamma=(1.0, 0.8, 1.3, 1.6)[number % 4])
        variants.append(np.ascontiguousarray(picture[:, ::-1]) if number % 2 else picture)
    return variants
