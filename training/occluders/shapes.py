"""Outlines of occluders: masks (size, size) float32 in 0..1, anywhere on the picture."""

from __future__ import annotations

import cv2
import numpy as np

_SHIFT = 4  # fractional bits of OpenCV's drawing


def fill(points: np.ndarray, size: int) -> np.ndarray:
    """Fill a polygon (P, 2) in pixels."""
    mask = np.zeros((size, size), np.uint8)
    fixed = np.rint((points - 0.5) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, lineType=cv2.LINE_AA, shift=_SHIFT)
    return mask.astype(np.float32) / 255


def place(rng: np.random.Generator, size: int) -> np.ndarray:
    """A place (2,) on or beside the face, in pixels."""
    return size * (0.5 + rng.normal(0, 0.2, 2))


def turned(points: np.ndarray, angle: float) -> np.ndarray:
    """Turn points (P, 2) about the origin, radians."""
    c, s = np.cos(angle), np.sin(angle)
    return points @ np.array([[c, s], [-s, c]])


def blob(rng: np.random.Generator, size: int) -> np.ndarray:
    """A smooth closed curve of a few harmonics."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    radius = np.ones(64)
    for k in range(2, 6):
        radius += rng.normal(0, 0.5 / k) * np.cos(k * angle + rng.uniform(0, 6.3))
    radius = size * rng.uniform(0.06, 0.32) * np.clip(radius, 0.2, None)
    stretch = np.array([1, rng.uniform(0.4, 1)])
    points = np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None] * stretch
    return fill(place(rng, size) + turned(points, rng.uniform(0, 6.3)), size)


def polygon(rng: np.random.Generator, size: int) -> np.ndarray:
    """Three to seven corners."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))))
    points = np.stack([np.cos(angle), np.sin(angle)], 1) * size * rng.uniform(0.1, 0.4, (len(angle), 1))
    return fill(place(rng, size) + points, size)


def box(rng: np.random.Generator, size: int) -> np.ndarray:
    """A rectangle, often upright, sometimes reaching out of the picture."""
    half = size * rng.uniform(0.05, 0.45, 2)
    points = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    angle = rng.normal(0, 0.1) if rng.random() < 0.5 else rng.uniform(0, 6.3)
    return fill(place(rng, size) + turned(points, angle), size)


def bar(rng: np.random.Generator, size: int) -> np.ndarray:
    """A strip through the whole picture."""
    points = np.array([[-2, -1], [2, -1], [2, 1], [-2, 1]]) * [size, size * rng.uniform(0.02, 0.12)]
    return fill(place(rng, size) + turned(points, rng.uniform(0, 6.3)), size)


SHAPES = (blob, polygon, box, bar)
