"""Textures for occluders, in two families: those trained on and those that only tests see."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

Texture = Callable[[np.random.Generator, int], np.ndarray]


def random_colour(rng: np.random.Generator) -> np.ndarray:
    """(3,) float32 in 0..255: greys, dark and light colours about as often as vivid ones."""
    hsv = np.array([[[rng.uniform(0, 180), 255 * rng.beta(0.8, 1.3), 255 * rng.beta(1, 1)]]]).astype(np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float32)


def noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """Smooth noise (size, size) float32 in 0..1 with about ``cells`` bumps a side."""
    grid = rng.random((cells + 2, cells + 2), np.float32)
    return np.clip(cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC), 0, 1)


def _mixed(rng: np.random.Generator, field: np.ndarray) -> np.ndarray:
    """Colours of a field (size, size) in 0..1, between two random ones."""
    first, second = random_colour(rng), random_colour(rng)
    second = first + rng.uniform(0.2, 1) * (second - first)
    return first + field[..., None].astype(np.float32) * (second - first)


def _waves(rng: np.random.Generator, size: int) -> np.ndarray:
    """Coordinate (size, size) along a random direction, in periods."""
    angle, periods = rng.uniform(0, np.pi), rng.uniform(1.5, 16)
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    return periods * (np.cos(angle) * x + np.sin(angle) * y) + rng.uniform()


def plain(rng: np.random.Generator, size: int) -> np.ndarray:
    """One colour, flat or lit from one side."""
    return _mixed(rng, rng.choice([0, 0.4]) * noise(rng, size, 1))


def clouds(rng: np.random.Generator, size: int) -> np.ndarray:
    """Noise of several scales."""
    cells = int(rng.integers(2, 8))
    return _mixed(rng, (noise(rng, size, cells) + 0.5 * noise(rng, size, 4 * cells)) / 1.5)


def grain(rng: np.random.Generator, size: int) -> np.ndarray:
    """One colour with fine noise, as of foam or cloth."""
    fine = noise(rng, size, int(rng.integers(size // 4, size))) - 0.5
    return plain(rng, size) + rng.uniform(5, 45) * fine[..., None]


def stripes(rng: np.random.Generator, size: int) -> np.ndarray:
    """Soft or hard stripes."""
    wave = np.sin(2 * np.pi * _waves(rng, size))
    return _mixed(rng, np.clip(0.5 + rng.uniform(0.5, 4) * wave, 0, 1))


def blotches(rng: np.random.Generator, size: int) -> np.ndarray:
    """A few flat tones with winding borders, as of camouflage or printed cloth."""
    tones = int(rng.integers(2, 5))
    return _mixed(rng, np.floor(tones * 0.999 * noise(rng, size, int(rng.integers(3, 12)))) / (tones - 1))


def rings(rng: np.random.Generator, size: int) -> np.ndarray:
    """Soft or hard rings about a point, stretched."""
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    place = rng.uniform(-0.3, 1.3, 2)
    distance = np.hypot(x - place[0], rng.uniform(0.4, 1) * (y - place[1]))
    wave = np.sin(2 * np.pi * (rng.uniform(1.5, 12) * distance + rng.uniform()))
    return _mixed(rng, np.clip(0.5 + rng.uniform(0.5, 4) * wave, 0, 1))


def patches(rng: np.random.Generator, size: int) -> np.ndarray:
    """Pieces of many colours, each nearest to a point of its own."""
    count = int(rng.integers(5, 40))
    seeds = np.ones((size, size), np.uint8)
    seeds[tuple(rng.integers(size, size=(2, count)))] = 0
    _, nearest = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    colours = np.stack([random_colour(rng) for _ in range(4)])
    return colours[rng.integers(4, size=nearest.max() + 1)[nearest]]


def chequers(rng: np.random.Generator, size: int) -> np.ndarray:
    """Squares of two colours."""
    return _mixed(rng, (np.floor(_waves(rng, size)) + np.floor(_waves(rng, size))) % 2)


def dots(rng: np.random.Generator, size: int) -> np.ndarray:
    """Discs on a grid."""
    first, second = _waves(rng, size) % 1 - 0.5, _waves(rng, size) % 1 - 0.5
    return _mixed(rng, np.clip(6 * (rng.uniform(0.2, 0.4) - np.hypot(first, second)), 0, 1))


def marble(rng: np.random.Generator, size: int) -> np.ndarray:
    """Waves bent by noise."""
    bent = _waves(rng, size) + rng.uniform(0.5, 2) * noise(rng, size, int(rng.integers(3, 9)))
    return _mixed(rng, np.abs(np.sin(np.pi * bent)))


def coloured(colour: np.ndarray) -> Texture:
    """Make a texture of one given colour (3,), a little uneven: skin, for instance."""

    def surface(rng: np.random.Generator, size: int) -> np.ndarray:
        uneven = 1 + rng.uniform(0, 0.4) * (noise(rng, size, int(rng.integers(1, 4))) - 0.5)
        return (colour * uneven[..., None]).astype(np.float32)

    return surface


def picture_pieces(pictures: np.ndarray) -> Texture:
    """Make a texture of pieces of pictures (N, S, S, 3), turned, enlarged and recoloured."""

    def piece(rng: np.random.Generator, size: int) -> np.ndarray:
        picture = pictures[rng.integers(len(pictures))]
        side = int(rng.integers(len(picture) // 5, len(picture)))
        y, x = rng.integers(len(picture) - side + 1, size=2)
        part = cv2.resize(picture[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_LINEAR)
        part = np.rot90(part, int(rng.integers(4)))
        if rng.random() < 0.5:
            hsv = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2HSV)
            hsv[..., 0] = (hsv[..., 0].astype(int) + int(rng.integers(180))) % 180
            part = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
        return part.astype(np.float32) * rng.uniform(0.6, 1.3)

    return piece


TRAINED: Sequence[Texture] = (plain, clouds, grain, stripes, blotches, rings, patches)
UNSEEN: Sequence[Texture] = (chequers, dots, marble)
