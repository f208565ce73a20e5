"""Spectacles do not smile: told from the picture, they keep the mesh around the eyes near rigid.

They are told by a rule, without a network: what holds two lenses together is a line across the bridge of the nose,
where bare skin shades softly: two sharp edges that face each other.
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

# The band from the middle of one eye to the other's, unrolled at 1 face unit: y from -30 (brows) to 30 (cheeks).
BAND_HALF, BAND_TOP, BAND_BOTTOM = 36, -30, 30
# Where the bridge of spectacles may lie (between the eyes, below the brows' inner ends at -16), and how thick it may
# be: 12 units are about 11 mm.
BRIDGE_HALF, BRIDGE_TOP, BRIDGE_BOTTOM, BRIDGE_THICKEST = 6, -15, 16, 12
EDGE = 2  # an edge of a rim is this sharp, bare skin shades softly
WORN_FROM = 0.4  # of what the greys differ by: most skin stays below .3, most rims are above .5
# Rims reach from the eye's middle (face units) to here, softened by ±; lids are moved by eyes.py and stay free.
RIM_OUTER, RIM_SOFTNESS = 31.0, 8.0
RIM_SHARE = 0.25  # of a displacement that is left at the rims
_EYES = tuple(zip(topology.EYE_UPPER, topology.EYE_LOWER, strict=True))


@lru_cache(maxsize=1)
def _band_points() -> tuple[np.ndarray, np.ndarray]:
    """Vertices of the face's surface around each point of the band (rows, columns, 3), and their barycentric shares."""
    surface = face_surface()
    triangles = (surface.place @ load_basis().canonical)[surface.triangles, :2]  # the face from the front
    top, bottom = triangles[:, :, 1].min(axis=1), triangles[:, :, 1].max(axis=1)
    last = triangles[:, 2]
    to_weights = np.linalg.inv(triangles[:, :2] - triangles[:, 2:])
    columns = np.arange(-BAND_HALF, BAND_HALF + 1)
    corners, weights = [], []
    for row in range(BAND_TOP, BAND_BOTTOM + 1):
        points = np.stack([columns, np.full_like(columns, row)], axis=1)
        near = np.flatnonzero((top <= row) & (row <= bottom))
        two = np.einsum("cfi,fij->cfj", points[:, None] - last[near], to_weights[near])
        every = np.concatenate([two, 1 - two.sum(axis=-1, keepdims=True)], axis=-1)
        inside = every.min(axis=-1).argmax(axis=-1)  # the one triangle in which no weight is below 0
        corners.append(surface.triangles[near[inside]])
        weights.append(every[np.arange(len(columns)), inside])
    return np.stack(corners), np.stack(weights)


def unroll_band(frame: Frame, landmarks: np.ndarray) -> np.ndarray:
    """Unroll the band between the eyes onto the canonical face.

    Args:
        frame: Any frame.
        landmarks: (478, 3) of a face in it, pixels.

    Returns:
        (rows, columns) float32 grey, 0..255, one value per square face unit; 0 where all of it is outside the frame.
    """
    corners, weights = _band_points()
    vertices = face_surface().place @ landmarks[:, :2]
    points = np.einsum("rck,rckd->rcd", weights, vertices[corners])
    low, high = np.floor(points.min(axis=(0, 1))).astype(int) - 1, np.ceil(points.max(axis=(0, 1))).astype(int) + 1
    box = Box(*map(int, low), *map(int, high)).clipped(frame.width, frame.height)
    if not box.width or not box.height:
        return np.zeros(points.shape[:2], np.float32)
    grey = cv2.cvtColor(frame.rgb(box), cv2.COLOR_RGB2GRAY).astype(np.float32)
    x, y = (points - box[:2] - 0.5).astype(np.float32).transpose(2, 0, 1)
    return cv2.remap(grey, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def bridge_strength(frame: Frame, landmarks: np.ndarray) -> float:
    """Measure the line across the nose by which spectacles are told.

    Args:
        frame: Any frame.
        landmarks: (478, 3) of a face in it, pixels.

    Returns:
        Step of grey at the weaker of the line's two edges, in standard deviations of the band's greys; spectacles from
        WORN_FROM on.
    """
    band = unroll_band(frame, landmarks)
    steps = band[EDGE:] - band[:-EDGE]
    columns = slice(BAND_HALF - BRIDGE_HALF, BAND_HALF + BRIDGE_HALF + 1)
    place = (slice(BRIDGE_TOP - BAND_TOP - EDGE, BRIDGE_BOTTOM - BAND_TOP - EDGE), columns)
    slack = np.ones((3, 1), np.uint8)  # a line may slope by a row
    brighter, darker = (cv2.dilate(np.maximum(sign * steps, 0), slack)[place].mean(axis=1) for sign in (1, -1))
    facing = cv2.dilate(darker[:, None], np.ones((2 * BRIDGE_THICKEST + 1, 1), np.uint8))[:, 0]
    return float(np.minimum(brighter, facing).max() / (band.std() + 2))  # + 2: flat pictures are not lined


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
