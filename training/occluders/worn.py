"""What belongs to a face although it lies before it: shadows, spectacles, hair. The network must let it be."""

from __future__ import annotations

import cv2
import numpy as np

from thfem_core.face.mesh.topology import BROW_UPPER, EYE_LOWER, EYE_UPPER, FACE_OVAL, OUTER_LIPS

from .shapes import SHAPES, fill
from .textures import noise, random_colour

# Where beards grow: along the jaw, up the cheeks, under the nose.
_BEARD = (
    *(58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 435, 416, 434, 432, 410, 391, 326, 2),
    *(97, 165, 186, 212, 214, 192, 215),
)
_HAIR = ((25, 20, 18), (70, 45, 30), (120, 85, 55), (190, 160, 115), (150, 150, 150), (120, 60, 35))  # typical colours


def dress(rng: np.random.Generator, picture: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Add some of it, now and then.

    Args:
        rng: Draws what.
        picture: (S, S, 3) float32 in 0..255.
        outline: (478, 2) landmarks in it, pixels.

    Returns:
        The picture.
    """
    if rng.random() < 0.25:
        picture = shadow(rng, picture)
    if rng.random() < 0.15:
        picture = spectacles(rng, picture, outline)
    if rng.random() < 0.15:
        picture = strands(rng, picture, outline)
    if rng.random() < 0.2:
        picture = fringe(rng, picture, outline)
    if rng.random() < 0.15:
        picture = curtain(rng, picture, outline)
    if rng.random() < 0.15:
        picture = beard(rng, picture, outline)
    return picture


def shadow(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """The soft shadow of something that is not in the picture."""
    shape = SHAPES[rng.integers(len(SHAPES))](rng, len(picture))
    dark = cv2.GaussianBlur(shape, (0, 0), rng.uniform(1, 10))
    return picture * (1 - rng.uniform(0.15, 0.6) * dark)[..., None]


def spectacles(rng: np.random.Generator, picture: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Two rims with a bridge, clear or tinted."""
    picture = np.ascontiguousarray(picture)
    colour, thick = random_colour(rng) * rng.uniform(0, 0.7), int(rng.integers(1, 4))
    middles = [outline[list(u + lo)].mean(axis=0) for u, lo in zip(EYE_UPPER, EYE_LOWER, strict=True)]
    between = middles[1] - middles[0]
    apart = float(np.linalg.norm(between))
    axes = (int(apart * rng.uniform(0.32, 0.44)), int(apart * rng.uniform(0.22, 0.4)))
    turn = float(np.degrees(np.arctan2(between[1], between[0])))
    centres = [np.rint(middle).astype(int).tolist() for middle in middles]
    tint = picture.copy()
    for centre in centres:
        cv2.ellipse(tint, centre, axes, turn, 0, 360, random_colour(rng).tolist(), -1, cv2.LINE_AA)
    picture = picture + rng.choice([0, 0.15, 0.5]) * rng.random() * (tint - picture)
    for centre in centres:
        cv2.ellipse(picture, centre, axes, turn, 0, 360, colour.tolist(), thick, cv2.LINE_AA)
    inwards = between * axes[0] / apart
    start, stop = (np.rint(point).astype(int).tolist() for point in (middles[0] + inwards, middles[1] - inwards))
    cv2.line(picture, start, stop, colour.tolist(), thick, cv2.LINE_AA)
    return picture


def hair_colour(rng: np.random.Generator, picture: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """(3,): what is seen above the forehead, or a typical colour, varied."""
    x, y = np.clip(outline[10].astype(int) - (0, 10), 0, len(picture) - 1)
    colour = picture[y, x] if rng.random() < 0.5 else np.array(_HAIR[rng.integers(len(_HAIR))], np.float32)
    return np.asarray(colour * rng.uniform(0.5, 1.3), np.float32)


def strands(rng: np.random.Generator, picture: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Single hairs that fall over the forehead."""
    picture, colour = np.ascontiguousarray(picture), hair_colour(rng, picture, outline).tolist()
    size = len(picture)
    for _ in range(int(rng.integers(3, 25))):
        root = outline[10] + (rng.normal(0, 0.2 * size), -0.05 * size)
        t = np.linspace(0, 1, 8)[:, None]
        way = root + t * (rng.normal(0, 12), rng.uniform(8, 40)) + t**2 * (rng.normal(0, 10), 0)
        cv2.polylines(picture, [np.rint(way * 8).astype(np.int32)], False, colour, 1, cv2.LINE_AA, 3)
    return picture


def fringe(rng: np.random.Generator, picture: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Hair over a part of the forehead, or a curtain of it along one side of the face."""
    size = len(picture)
    top, brows = outline[10], outline[list(BROW_UPPER[0] + BROW_UPPER[1])].mean(axis=0)
    x = np.arange(size, dtype=np.float32)
    ends = cv2.resize(rng.normal(0, 1, (1, 24)).astype(np.float32), (size, 1), interpolation=cv2.INTER_CUBIC)[0]
    rough = cv2.resize(rng.normal(0, 1, (1, size // 2)).astype(np.float32), (size, 1))[0]
    across = (x - top[0]) / size
    lower = top[1] + rng.uniform(0.1, 1) * (brows[1] - top[1]) + 3 * ends + 2 * rough
    lower = (
        lower + rng.uniform(-60, 60) * across + rng.uniform(0, 250) * across**2
    )  # swept aside, longer at the temples
    y = np.arange(size, dtype=np.float32)[:, None]
    mask = np.clip((lower[None] - y) / rng.uniform(1, 6), 0, 1) * (y > top[1] - 0.35 * size)
    mask = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7)
    return picture + (rng.uniform(0.8, 1) * mask)[..., None] * (_fibres(rng, picture, outline) - picture)


def _fibres(rng: np.random.Generator, picture: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Long hair over the whole picture (S, S, 3), about upright."""
    size = len(picture)
    fibres = cv2.resize(rng.random((4, size // 2), np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    lean = np.array([[1, rng.normal(0, 0.5), 0], [0, 1, 0]])
    fibres = cv2.warpAffine(fibres, lean, (size, size), borderMode=cv2.BORDER_REFLECT)
    return hair_colour(rng, picture, outline) * (0.55 + 0.9 * fibres)[..., None]


def curtain(rng: np.random.Generator, picture: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Long hair that falls over the sides of the face."""
    size, y = len(picture), np.arange(len(picture), dtype=np.float32)
    oval = outline[list(FACE_OVAL)]
    edge = cv2.resize(rng.normal(0, 1, (1, 8)).astype(np.float32), (size, 1), interpolation=cv2.INTER_CUBIC)[0]
    mask = np.zeros((size, size), np.float32)
    half = np.ptp(oval[:, 0]) / 2
    for side in (-1, 1):
        if rng.random() < 0.3:
            continue
        border = oval[:, 0].mean() + side * half * rng.uniform(0.55, 1.0) + 3 * edge
        border = border - side * half * 0.35 * ((y - oval[:, 1].mean()) / half) ** 2 * (y < oval[:, 1].mean())
        mask = np.maximum(mask, np.clip(side * (np.arange(size)[None] - border[:, None]) / rng.uniform(1, 4), 0, 1))
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7)
    return picture + (rng.uniform(0.8, 1) * soft)[..., None] * (_fibres(rng, picture, outline) - picture)


def beard(rng: np.random.Generator, picture: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """A beard, from stubble to full, with the lips free."""
    size = len(picture)
    hull = outline[list(_BEARD)].astype(np.float32)
    middle = outline[list(OUTER_LIPS)].mean(axis=0)
    mask = fill(middle + rng.uniform(0.85, 1.2) * (hull - middle), size)
    mask = mask * (1 - fill(outline[list(OUTER_LIPS)].astype(np.float32), size))
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.8, 4))
    curls = 0.6 * noise(rng, size, size // 2) + 0.4 * noise(rng, size, size // 6)
    drawn = hair_colour(rng, picture, outline) * (0.5 + curls)[..., None]
    return picture + (rng.uniform(0.3, 1) * soft)[..., None] * (drawn - picture)
