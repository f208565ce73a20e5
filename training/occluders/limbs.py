"""Hands and arms: tapered capsules in the colour of skin, lit as round bodies."""

from __future__ import annotations

import numpy as np

from .shapes import place, turned
from .textures import noise


def skin_colour(rng: np.random.Generator, picture: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """(3,) float32: the colour of a cheek of a face picture (S, S, 3) with landmarks (478, 2), varied a little."""
    x, y = np.clip(outline[(50, 280)[rng.integers(2)]], 2, len(picture) - 3).astype(int)
    colour = picture[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).mean(axis=0)
    return np.clip(colour * rng.uniform(0.75, 1.25) * rng.uniform(0.94, 1.06, 3), 8, 250).astype(np.float32)


class Limb:
    """A picture of capsules that hide one another, (size, size)."""

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        self.mask = np.zeros((size, size), np.float32)
        self.shade = np.zeros((size, size), np.float32)
        self._grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1).astype(np.float32) + 0.5
        self._light = np.array([*rng.normal(0, 0.6, 2), 1.0])
        self._light /= np.linalg.norm(self._light)
        self._ambient = rng.uniform(0.35, 0.8)

    def capsule(self, start: np.ndarray, stop: np.ndarray, first: float, last: float) -> None:
        """Add a capsule between two points (2,), radii ``first`` and ``last``, all in pixels."""
        reach = max(first, last) + 1
        low = np.clip(np.floor(np.minimum(start, stop) - reach), 0, len(self.mask)).astype(int)
        high = np.clip(np.ceil(np.maximum(start, stop) + reach), 0, len(self.mask)).astype(int)
        if (low >= high).any():
            return
        part = slice(low[1], high[1]), slice(low[0], high[0])
        along = stop - start
        t = np.clip((self._grid[part] - start) @ along / max(float(along @ along), 1e-6), 0, 1)
        radius = first + t * (last - first)
        away = (self._grid[part] - (start + t[..., None] * along)) / radius[..., None]
        distance = np.hypot(away[..., 0], away[..., 1])
        cover = np.clip((1 - distance) * radius + 0.5, 0, 1).astype(np.float32)
        height = np.sqrt(np.clip(1 - distance**2, 0, 1))
        lit = np.clip(away @ self._light[:2] + height * self._light[2], 0, 1)
        shade = self._ambient + (1 - self._ambient) * lit
        shade *= 0.75 + 0.25 * np.clip(3 * (1 - distance), 0, 1)  # a crease where capsules meet
        self.shade[part] = cover * shade + (1 - cover) * self.shade[part]
        np.maximum(self.mask[part], cover, out=self.mask[part])


def hand(rng: np.random.Generator, size: int, colour: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw a hand with its forearm, fingers spread, bent or together.

    Args:
        rng: Draws its pose.
        size: Side of the picture.
        colour: (3,) of the skin, 0..255.

    Returns:
        Picture (size, size, 3) float32 and mask (size, size) float32.
    """
    limb = Limb(rng, size)
    palm = size * rng.uniform(0.08, 0.2)  # half its width
    angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.4 else rng.normal(0, 0.7)  # mostly from below
    centre, side = place(rng, size), rng.choice([-1, 1])
    sleeve = rng.random() < 0.5

    def at(x: float, y: float) -> np.ndarray:
        return centre + turned(palm * np.array([[x * side, y]]), angle)[0]

    if rng.random() < 0.8:
        limb.capsule(at(0, 1.2), at(rng.normal(0, 0.5), 9), 0.75 * palm, 1.1 * palm)
    parts = [(at(-0.45, 0.7), at(-0.5, -0.7)), (at(0.0, 0.9), at(0.0, -0.8)), (at(0.45, 0.7), at(0.5, -0.7))]
    for start, stop in parts:
        limb.capsule(start, stop, 0.6 * palm, 0.5 * palm)
    spread, length = rng.uniform(0, 0.35), rng.uniform(0.5, 1.2)
    for k in rng.permutation(4):
        if rng.random() < 0.08:
            continue
        x, lean = -0.72 + 0.48 * k, spread * (k - 1.5) + rng.normal(0, 0.06)
        middle = at(x + 0.9 * np.sin(lean), -0.85 - 0.9 * length * np.cos(lean))
        bend = lean + rng.normal(0, 0.2)
        tip = at(x + 0.9 * np.sin(lean) + 0.8 * np.sin(bend), -0.85 - length * (0.9 + 0.75 * rng.uniform(0.3, 1)))
        limb.capsule(at(x, -0.7), middle, 0.26 * palm, 0.23 * palm)
        limb.capsule(middle, tip, 0.23 * palm, 0.18 * palm)
    if rng.random() < 0.8:
        elbow = at(-1.25, -0.1 - 0.4 * rng.random())
        limb.capsule(at(-0.6, 0.6), elbow, 0.34 * palm, 0.28 * palm)
        limb.capsule(elbow, at(-1.3 - 0.7 * rng.random(), -0.9 * rng.random() - 0.4), 0.27 * palm, 0.2 * palm)
    grain = 1 + 0.12 * (noise(rng, size, 12) - 0.5) + 0.06 * (noise(rng, size, size // 3) - 0.5)
    picture = colour * (limb.shade * grain)[..., None] * rng.uniform(0.9, 1.25)
    picture[..., 1:] *= 1 - 0.1 * (1 - limb.shade[..., None])  # skin is redder in the dark
    if sleeve:
        below = turned(limb._grid.reshape(-1, 2) - centre, -angle).reshape(size, size, 2)[..., 1] > palm * 2.6
        picture[below] = limb.shade[below][:, None] * rng.uniform(10, 240, 3)
    return picture, limb.mask
