"""A face picture with things drawn in front of it, and the truth about what is covered."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from thfem_core.face.mesh.topology import FACE_OVAL
from thfem_core.face.occlusion.network import PIXELS

from .limbs import hand, skin_colour
from .objects import Drawn, caption, drink, medical_mask, microphone, telephone
from .people import varied
from .shapes import SHAPES, fill, place
from .textures import TRAINED, UNSEEN, coloured, noise, picture_pieces
from .worn import dress

FACE_MARGIN = 1.1  # of the outline, inside which mistakes count fully
VISIBLE = 0.13  # mean difference from what is covered, as a share of its brightness, below which nothing is laid over
CLEAN = 0.3  # share of faces with nothing in front of them
KINDS = ("shape", "hand", "microphone", "drink", "telephone", "mask", "caption", "person")
ODDS = (0.22, 0.22, 0.15, 0.07, 0.05, 0.06, 0.14, 0.09)


@dataclass(frozen=True, kw_only=True, eq=False)
class FacePictures:
    """Pictures of training.build_face_pictures.

    Attributes:
        pictures: (N, S, S, 3) uint8.
        outlines: (N, 478, 2) landmarks in them, pixels.
        people: (N,) names.
    """

    pictures: np.ndarray
    outlines: np.ndarray
    people: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """What the network is shown and should say.

    Attributes:
        picture: (128, 128, 3) uint8.
        covered: (128, 128) bool: something is in front of what lies here.
        face: (128, 128) bool: the face with a small margin.
    """

    picture: np.ndarray
    covered: np.ndarray
    face: np.ndarray


def draw_sample(
    rng: np.random.Generator, faces: FacePictures, index: int, *, unseen: bool = False, kind: str | None = None
) -> Sample:
    """Draw one sample.

    Args:
        rng: Everything random.
        faces: The people.
        index: Whose face.
        unseen: Take the textures and fonts that are kept for tests, leave people as they are, and change places and
            picture quality less.
        kind: One of :data:`KINDS` that is drawn once; None draws what comes, or nothing.

    Returns:
        A face, covered or not.
    """
    picture, outline = faces.pictures[index], faces.outlines[index].astype(np.float32)
    if not unseen:
        other = int(rng.integers(len(faces.people)))
        picture, outline = varied(rng, picture, outline, faces.pictures[other], faces.outlines[other])
    picture, outline = _jittered(rng, picture, outline, strength=0.3 if unseen else 1.0)
    picture = dress(rng, picture.astype(np.float32), outline)
    covered = np.zeros((PIXELS, PIXELS), np.float32)
    kinds = [kind] if kind is not None else []
    if kind is None and rng.random() >= CLEAN:
        kinds = [str(each) for each in rng.choice(KINDS, 1 + int(rng.random() < 0.2), p=ODDS)]
    for each in kinds:
        drawn = _occluder(rng, each, faces, index, picture, outline, unseen=unseen)
        picture, cover = _laid_over(rng, picture, *drawn)
        if each == "caption":
            cover = cv2.morphologyEx(cover, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
        covered = np.maximum(covered, cover)
    hull = outline[list(FACE_OVAL)].astype(np.float32)
    hull = hull.mean(axis=0) + FACE_MARGIN * (hull - hull.mean(axis=0))
    shown = _recorded(rng, np.ascontiguousarray(picture), strength=0.4 if unseen else 1.0)
    return Sample(picture=shown, covered=covered > 0.25, face=fill(hull, PIXELS) > 0.5)


def _jittered(
    rng: np.random.Generator, stored: np.ndarray, outline: np.ndarray, *, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """The face cut out as a mesh that lies a little wrong would: picture (128, 128, 3) and landmarks (478, 2)."""
    half, angle, scale = len(stored) / 2, rng.normal(0, 6 * strength), np.exp(rng.normal(0, 0.08 * strength))
    matrix = cv2.getRotationMatrix2D((half - 0.5, half - 0.5), angle, scale)
    wide = np.exp(rng.normal(0, 0.08 * strength))
    matrix[0] = wide * matrix[0] + (0, 0, (1 - wide) * (half - 0.5))
    matrix[:, 2] = matrix[:, 2] + PIXELS / 2 - half + rng.normal(0, 4 * strength, 2)
    picture = cv2.warpAffine(stored, matrix, (PIXELS, PIXELS), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    outline = (outline - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    if rng.random() < 0.5:
        picture, outline = picture[:, ::-1], outline * (-1, 1) + (PIXELS, 0)
    return np.ascontiguousarray(picture), outline.astype(np.float32)


def _occluder(
    rng: np.random.Generator,
    kind: str,
    faces: FacePictures,
    index: int,
    picture: np.ndarray,
    outline: np.ndarray,
    *,
    unseen: bool,
) -> Drawn:
    other = index if rng.random() < 0.6 else int(rng.integers(len(faces.people)))
    source = (picture, outline) if other == index else (faces.pictures[other], faces.outlines[other])
    skin = skin_colour(rng, np.asarray(source[0], np.float32), np.asarray(source[1], np.float32))
    if kind == "hand":
        return hand(rng, PIXELS, skin)
    textures = [*(UNSEEN if unseen else TRAINED), picture_pieces(faces.pictures), coloured(skin)]
    # pieces of pictures twice as often as each of the others
    texture = textures[(int(rng.integers(len(textures) + 1)) - 2) % len(textures)]
    if kind == "microphone":
        return microphone(rng, PIXELS, texture)
    if kind == "drink":
        return drink(rng, PIXELS, texture)
    if kind == "telephone":
        return telephone(rng, PIXELS, texture)
    if kind == "mask":
        return medical_mask(rng, PIXELS, texture, outline)
    if kind == "caption":
        return caption(rng, PIXELS, texture, unseen=unseen)
    if kind == "person":
        strangers = np.flatnonzero(faces.people != faces.people[index])
        return _person(rng, faces, int(rng.choice(strangers)))
    return texture(rng, PIXELS), SHAPES[rng.integers(len(SHAPES))](rng, PIXELS)


def _person(rng: np.random.Generator, faces: FacePictures, index: int) -> Drawn:
    """Another person's head or a part of their body, anywhere."""
    stored, outline = faces.pictures[index], faces.outlines[index].astype(np.float32)
    hull = cv2.convexHull(outline[list(FACE_OVAL)])[:, 0]
    hull = hull.mean(axis=0) + rng.uniform(1.0, 1.35) * (hull - hull.mean(axis=0))
    mask = fill(hull, len(stored))
    if rng.random() < 0.4:  # with the neck and shoulders
        mask[int(hull[:, 1].max() - 8) :, int(hull[:, 0].min()) : int(hull[:, 0].max())] = 1
    matrix = cv2.getRotationMatrix2D(tuple(map(float, hull.mean(axis=0))), rng.normal(0, 25), rng.uniform(0.5, 1.3))
    matrix[:, 2] += place(rng, PIXELS) + rng.normal(0, 0.2 * PIXELS, 2) - hull.mean(axis=0)
    picture, mask = (cv2.warpAffine(each, matrix, (PIXELS, PIXELS)) for each in (stored, mask))
    return picture.astype(np.float32), mask


def _laid_over(
    rng: np.random.Generator, below: np.ndarray, picture: np.ndarray, mask: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """An occluder over a picture, soft, blurred by motion and throwing a shadow: the picture, and what is covered."""
    size = len(below)
    picture = np.clip(picture * rng.uniform(0.7, 1.15), 0, 255).astype(np.float32)
    mask = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), rng.uniform(0.3, 1.2))
    if rng.random() < 0.3:
        length, angle = int(rng.integers(3, 15)), rng.uniform(0, np.pi)
        kernel = np.zeros((length, length), np.float32)
        x, y, centre = int(length / 2 * np.cos(angle)), int(length / 2 * np.sin(angle)), length // 2
        cv2.line(kernel, (centre - x, centre - y), (centre + x, centre + y), 1)
        kernel /= kernel.sum()
        mask, picture = cv2.filter2D(mask, -1, kernel), cv2.filter2D(picture, -1, kernel)
    if rng.random() < 0.5:
        shift = rng.normal(0, 0.05 * size, 2)
        moved = cv2.warpAffine(mask, np.array([[1, 0, shift[0]], [0, 1, shift[1]]]), (size, size))
        shadow = cv2.GaussianBlur(moved, (0, 0), rng.uniform(1, 8))
        below = below * (1 - rng.uniform(0.1, 0.6) * shadow)[..., None]
    opacity = 1.0 if rng.random() < 0.85 else rng.uniform(0.6, 1)
    laid = below + (opacity * mask)[..., None] * (picture - below)
    inside = mask > 0.5
    if inside.any() and np.abs(laid - below)[inside].mean() < VISIBLE * (below[inside].mean() + 20):
        return below, np.zeros_like(mask)  # nobody could tell
    return laid, mask


def _recorded(rng: np.random.Generator, picture: np.ndarray, *, strength: float) -> np.ndarray:
    """Light, lens and compression of some camera."""
    size = len(picture)
    if rng.random() < 0.6 * strength:
        picture = 255 * (np.clip(picture, 0, 255) / 255) ** np.exp(rng.normal(0, 0.3))
    picture = picture * np.exp(rng.normal(0, 0.12 * strength)) * np.exp(rng.normal(0, 0.05 * strength, 3))
    picture = picture + rng.normal(0, 10 * strength)
    if rng.random() < 0.05:
        picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.3 * strength:
        small = int(rng.integers(size // 3, size))
        picture = cv2.resize(cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA), (size, size))
    if rng.random() < 0.3 * strength:
        picture = picture + rng.uniform(2, 12) * rng.standard_normal(picture.shape, np.float32)
    if rng.random() < 0.2 * strength:
        picture = picture * (1 + rng.uniform(0.1, 0.5) * (noise(rng, size, 2) - 0.5))[..., None]
    shown = np.clip(picture + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.5 * strength:
        _, coded = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))])
        shown = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return shown
