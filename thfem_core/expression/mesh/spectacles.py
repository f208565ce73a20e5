"""Spectacles do not smile: told from the picture, they keep the mesh around the eyes near rigid.

The judge is a logistic regression on edge strengths around the eyes, in a band of the face unrolled onto the
canonical mesh (training/train_spectacles.py).
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from ...face.mesh import topology
from ...face.mesh.basis import load_basis
from ...face.mesh.surface import face_surface
from ...face.smoothstep import smoothstep
from ...media.frame import Box, Frame
from ...weights.reading import embedded_tensors

# The unrolled band, face units: half width, top, bottom, spacing.
BAND_HALF, BAND_TOP, BAND_BOTTOM, BAND_STEP = 72, -26, 42, 2
CELLS = 9  # of half the band, in each direction
# Rims reach from the eye's middle (face units) to here, softened by ±; lids are moved by eyes.py and stay free.
RIM_OUTER, RIM_SOFTNESS = 31.0, 8.0
RIM_SHARE = 0.25  # of a displacement that is left at the rims
_EYES = tuple(zip(topology.EYE_UPPER, topology.EYE_LOWER, strict=True))


@lru_cache(maxsize=1)
def _band_samples() -> tuple[np.ndarray, tuple[int, int]]:
    """Index of the surface sample nearest to each band point, and the band's shape (rows, columns)."""
    surface = face_surface()
    columns = np.arange(-BAND_HALF, BAND_HALF + 1, BAND_STEP, dtype=np.float32)
    rows = np.arange(BAND_TOP, BAND_BOTTOM, BAND_STEP, dtype=np.float32)
    place = surface.canonical[:, :2]
    chosen = []
    for y in rows:
        near = np.flatnonzero(np.abs(place[:, 1] - y) < 3 * BAND_STEP)
        distance = (place[near, :1] - columns) ** 2 + (place[near, 1:] - y) ** 2
        chosen.append(near[distance.argmin(axis=0)])
    return np.concatenate(chosen), (len(rows), len(columns))


def unroll_band(frame: Frame, landmarks: np.ndarray) -> np.ndarray:
    """Unroll the band around the eyes onto the canonical face.

    Args:
        frame: Any frame.
        landmarks: (478, 3) of a face in it, pixels.

    Returns:
        (rows, columns) float32 grey, 0..255; 0 where the band lies outside the frame.
    """
    chosen, shape = _band_samples()
    surface = face_surface()
    vertices = surface.place @ landmarks[:, :2]
    points = np.einsum("nk,nkc->nc", surface.weights[chosen], vertices[surface.corners[chosen]])
    low, high = np.floor(points.min(axis=0)).astype(int) - 1, np.ceil(points.max(axis=0)).astype(int) + 1
    box = Box(*map(int, low), *map(int, high)).clipped(frame.width, frame.height)
    if not box.width or not box.height:
        return np.zeros(shape, np.float32)
    grey = cv2.cvtColor(frame.rgb(box), cv2.COLOR_RGB2GRAY).astype(np.float32)
    x, y = (points - box[:2] - 0.5).astype(np.float32).T.reshape(2, *shape)
    return cv2.remap(grey, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def edge_features(band: np.ndarray) -> np.ndarray:
    """Measure edges around the eyes.

    Args:
        band: As from :func:`unroll_band`.

    Returns:
        (2 · CELLS²,) log edge strength per cell of one half face (both halves averaged), across and along the band.
    """
    smooth = cv2.GaussianBlur(band, (0, 0), 0.6)
    across, along = (np.abs(cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx)) for dx in (1, 0))
    usual = np.sqrt((across**2 + along**2).mean()) + 4  # grey levels: keeps flat pictures from looking edgy
    half = band.shape[1] // 2 + 1
    cells = [
        cv2.resize(((e + e[:, ::-1]) / (2 * usual))[:, :half], (CELLS, CELLS), interpolation=cv2.INTER_AREA)
        for e in (across, along)
    ]
    return np.log(np.stack(cells) + 0.15).ravel()


@lru_cache(maxsize=1)
def load_judge() -> tuple[np.ndarray, float]:
    """Load weight (2 · CELLS²,) and bias of the embedded logistic regression (CC BY-NC 4.0).

    Raises:
        WeightsError: Its file is missing or damaged.
    """
    shapes = {"weight": (2 * CELLS**2,), "bias": (1,)}
    tensors, _ = embedded_tensors("spectacles.safetensors", maker="training/train_spectacles.py", shapes=shapes)
    return tensors["weight"].numpy(), float(tensors["bias"][0])


def spectacles_score(frame: Frame, landmarks: np.ndarray) -> float:
    """Judge whether a face wears spectacles.

    Args:
        frame: Any frame.
        landmarks: (478, 3) of a face in it, pixels.

    Returns:
        Log odds; above 0 means yes.
    """
    weight, bias = load_judge()
    return float(weight @ edge_features(unroll_band(frame, landmarks)) + bias)


@lru_cache(maxsize=1)
def rim_damping() -> np.ndarray:
    """Compute the factor on action units' displacements that holds spectacles.

    Returns:
        (478,) :data:`RIM_SHARE` where rims, bridge and temples lie, 1 elsewhere, smooth in between.
    """
    canonical = load_basis().canonical
    factor = np.ones(len(canonical))
    middles = [canonical[list(upper + lower), :2].mean(axis=0) for upper, lower in _EYES]
    for middle in middles:
        distance = np.linalg.norm(canonical[:, :2] - middle, axis=1)
        outside = smoothstep(distance, RIM_OUTER - RIM_SOFTNESS, RIM_OUTER + RIM_SOFTNESS)
        factor = np.minimum(factor, RIM_SHARE + (1 - RIM_SHARE) * outside)
    return factor
