"""More people than were filmed: a face in the light of another picture, or before its hair and clothes."""

from __future__ import annotations

import cv2
import numpy as np

from thfem_core.face.mesh.topology import FACE_OVAL

from .shapes import fill

RELIT, MOVED, BENT = 0.5, 0.35, 0.5  # share of the samples of each kind
_LEAST = 20.0  # grey levels, so that dark pixels are not brightened without bounds


def varied(
    rng: np.random.Generator, picture: np.ndarray, outline: np.ndarray, other: np.ndarray, its_outline: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Change a person by what another's picture shows, now and then.

    Args:
        rng: Draws what.
        picture: (S, S, 3) uint8.
        outline: (478, 2) landmarks in it, pixels.
        other: (S, S, 3) uint8, another picture.
        its_outline: (478, 2) landmarks in that.

    Returns:
        Picture (S, S, 3) uint8 and landmarks (478, 2) float32.
    """
    size, oval = len(picture), list(FACE_OVAL)
    outline = outline.astype(np.float32)
    shown = picture.astype(np.float32)
    relit, moved = rng.random() < RELIT, rng.random() < MOVED
    if relit or moved:
        points = np.column_stack([its_outline.astype(np.float32), np.ones(len(its_outline), np.float32)])
        onto = np.linalg.lstsq(points[oval], outline[oval], rcond=None)[0].T
        other = cv2.warpAffine(other, onto, (size, size), borderMode=cv2.BORDER_REFLECT_101).astype(np.float32)
    if relit:
        shown = relight(shown, other, cells=int(rng.integers(3, 13)), amount=rng.uniform(0.3, 1))
    if moved:
        hull = outline[oval]
        mask = fill(hull.mean(axis=0) + rng.uniform(1.0, 1.2) * (hull - hull.mean(axis=0)), size)
        inside = cv2.GaussianBlur(mask, (0, 0), rng.uniform(1, 6))[..., None]
        shown = other + inside * (shown - other)
    if rng.random() < BENT:
        shown, outline = bend(rng, shown, outline)
    return np.clip(shown + 0.5, 0, 255).astype(np.uint8), outline


def relight(picture: np.ndarray, other: np.ndarray, *, cells: int, amount: float) -> np.ndarray:
    """Give a picture the coarse light and colours of another, both (S, S, 3) float32; cells: of it, along a side."""
    ours, theirs = (
        cv2.resize(cv2.resize(each, (cells, cells), interpolation=cv2.INTER_AREA), each.shape[:2]) + _LEAST
        for each in (picture, other)
    )
    return np.asarray(picture * np.clip(theirs / ours, 0.2, 3) ** amount, np.float32)


def bend(rng: np.random.Generator, picture: np.ndarray, outline: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bend a face smoothly into another shape: picture (S, S, 3) float32 and landmarks (478, 2)."""
    size = len(picture)
    coarse = rng.normal(0, 0.012 * size, (5, 5, 2)).astype(np.float32)
    shift = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    bent = cv2.remap(picture, x + shift[..., 0], y + shift[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    column, row = np.clip(outline.astype(int), 0, size - 1).T
    return bent, outline - shift[row, column]
