"""Things people hold before their faces or that a broadcaster lays over them. All return picture and mask."""

from __future__ import annotations

import string
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .shapes import fill, place, turned
from .textures import Texture, grain, random_colour

Drawn = tuple[np.ndarray, np.ndarray]  # (size, size, 3) float32 in 0..255 and (size, size) float32 in 0..1
# Lower face with the bridge of the nose, as a medical mask covers it.
_MASK = (
    *(6, 197, 50, 205, 207, 187, 147, 177, 215, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397),
    *(288, 435, 401, 376, 411, 427, 425, 280, 419, 93, 323, 132, 361),
)


def microphone(rng: np.random.Generator, size: int, texture: Texture) -> Drawn:
    """A head of foam or wire on a tapered handle, mostly from below."""
    angle = rng.normal(0, 0.5) if rng.random() < 0.8 else rng.uniform(0, 6.3)
    centre, radius = place(rng, size) + np.array([0, 0.12 * size]), size * rng.uniform(0.04, 0.14)
    y, x = np.mgrid[:size, :size].astype(np.float32) + 0.5
    local = turned(np.stack([x - centre[0], y - centre[1]], -1).reshape(-1, 2), -angle).reshape(size, size, 2)
    local /= radius
    distance = np.hypot(local[..., 0], local[..., 1] / rng.uniform(0.9, 1.6))
    head = np.clip((1 - distance) * radius + 0.5, 0, 1)
    half = rng.uniform(0.15, 0.7) * (1 - 0.03 * local[..., 1])
    handle = np.clip((half - np.abs(local[..., 0])) * radius + 0.5, 0, 1) * (local[..., 1] > 0)
    dark = random_colour(rng) * rng.choice([0.2, 0.5, 1])
    ball = np.sqrt(np.clip(1 - distance**2, 0.05, 1))[..., None]
    tube = np.sqrt(np.clip(1 - (local[..., 0] / half) ** 2, 0.1, 1))[..., None]
    surface = grain(rng, size) if rng.random() < 0.6 else texture(rng, size)
    dim = rng.uniform(0.2, 1)
    picture = np.where(head[..., None] > 0.5, surface * dim * (0.4 + 0.6 * ball), dark * (0.3 + 0.7 * tube))
    if rng.random() < 0.5:
        picture += 200 * np.exp(-20 * ((local - rng.uniform(-0.6, 0.2, 2)) ** 2).sum(-1, keepdims=True))
    return picture.astype(np.float32), np.maximum(head, handle).astype(np.float32)


def drink(rng: np.random.Generator, size: int, texture: Texture) -> Drawn:
    """A glass, cup or bottle: a tapered body; its mask is whole even where one sees through it."""
    width, height = size * rng.uniform(0.1, 0.25), size * rng.uniform(0.2, 0.5)
    taper = rng.uniform(0.6, 1)
    points = np.array([[-width, -height], [width, -height], [taper * width, height], [-taper * width, height]])
    middle = place(rng, size) + np.array([0, 0.2 * size])
    mask = fill(middle + turned(points, rng.normal(0, 0.5)), size)
    across = np.abs(np.linspace(-1, 1, size, dtype=np.float32))[None, :, None]
    return texture(rng, size) * (0.5 + 0.5 * across), mask


def telephone(rng: np.random.Generator, size: int, texture: Texture) -> Drawn:
    """A flat box with a lens."""
    half = size * rng.uniform(0.12, 0.24) * np.array([1, rng.uniform(1.5, 2.1)])
    angle, centre = rng.normal(0, 0.4), place(rng, size)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    mask = fill(centre + turned(corners, angle), size)
    picture = texture(rng, size) if rng.random() < 0.5 else np.tile(rng.uniform(5, 60, 3), (size, size, 1))
    x, y = np.rint(centre + turned(np.array([[-0.6, -0.75]]) * half, angle)[0]).astype(int).tolist()
    picture = np.ascontiguousarray(picture, np.float32)
    cv2.circle(picture, (x, y), int(0.2 * half[0]) + 1, (10, 10, 15), -1, cv2.LINE_AA)
    return picture, mask


def medical_mask(rng: np.random.Generator, size: int, texture: Texture, outline: np.ndarray) -> Drawn:
    """A mask or scarf over the lower face, whose landmarks (478, 2) are known."""
    points = outline[list(_MASK)] + np.array([0, size * rng.uniform(-0.02, 0.1)])
    hull = cv2.convexHull(points.astype(np.float32))[:, 0]
    hull = hull.mean(axis=0) + rng.uniform(0.95, 1.25) * (hull - hull.mean(axis=0))
    if rng.random() < 0.5:
        base = np.array(((235, 235, 240), (120, 170, 210), (25, 25, 30))[rng.integers(3)], np.float32)
        folds = 12 * np.sin(np.arange(size) * rng.uniform(0.3, 0.9))[:, None, None]
        picture = np.tile(base, (size, size, 1)) + folds.astype(np.float32)
    else:
        picture = texture(rng, size)
    return picture, fill(hull, size)


@lru_cache(maxsize=1)
def font_files() -> tuple[str, ...]:
    """Fonts of the machine and of matplotlib that have Latin letters, in order of their names."""
    from matplotlib import font_manager, get_data_path

    found = [*font_manager.findSystemFonts(), *font_manager.findSystemFonts([f"{get_data_path()}/fonts/ttf"])]
    skipped = ("symbol", "math", "siz", "nonuni", "cmsy", "cmex", "cmmi", "lastresort", "emoji")
    return tuple(sorted({f for f in found if not any(word in f.lower() for word in skipped)}))


@lru_cache(maxsize=256)
def _font(path: str, pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, pixels)


def caption(rng: np.random.Generator, size: int, texture: Texture, *, unseen: bool) -> Drawn:
    """One or two lines of text with an edge, on a box or on a logo's ground. Every fourth font is kept for tests."""
    fonts = [f for i, f in enumerate(font_files()) if (i % 4 == 0) == unseen] or list(font_files())
    font = _font(fonts[rng.integers(len(fonts))], int(size * rng.uniform(0.07, 0.28)))
    letters = string.ascii_letters + string.digits + "     .,!?-"
    upper = rng.random() < 0.4
    lines = ["".join(rng.choice(list(letters), int(rng.integers(3, 24)))) for _ in range(int(rng.integers(1, 3)))]
    text = "\n".join(line.upper() if upper else line for line in lines)
    where = size * np.array([rng.uniform(-0.2, 0.5), rng.uniform(0.05, 0.9)])
    edge = int(rng.choice([0, 0, 1, 2]))
    mask_picture = Image.new("L", (size, size))
    ImageDraw.Draw(mask_picture).multiline_text(tuple(where), text, 255, font, stroke_width=edge)
    inner = Image.new("L", (size, size))
    ImageDraw.Draw(inner).multiline_text(tuple(where), text, 255, font)
    mask, strokes = (np.asarray(picture, np.float32) / 255 for picture in (mask_picture, inner))
    ink = random_colour(rng) if rng.random() < 0.4 else np.full(3, 250.0 if rng.random() < 0.7 else 10.0)
    around = np.full(3, 0.0) if ink.mean() > 128 else np.full(3, 255.0)
    if rng.random() < 0.4 and (mask > 0).any():
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        ground = np.zeros_like(mask)
        pad = int(rng.integers(1, 6))
        ground[max(0, rows[0] - pad) : rows[-1] + pad, max(0, columns[0] - pad) : columns[-1] + pad] = 1
        paper = texture(rng, size) if rng.random() < 0.5 else np.tile(random_colour(rng), (size, size, 1))
        return paper + strokes[..., None] * (ink - paper), ground
    return around + strokes[..., None] * (ink - around).astype(np.float32), mask
