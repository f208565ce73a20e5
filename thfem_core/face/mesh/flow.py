"""From moved mesh to dense backward flow, without a triangle rasteriser: splat, blur, normalise.

Every surface sample drops "come from here" and "this much brighter" at the place it moves to; a small Gaussian
closes the gaps (normalised convolution, Knutsson and Westin 1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ...media.frame import Box
from .surface import Surface

BLUR = 0.8  # cells
MARGIN = 3  # cells around the moved surface


@dataclass(frozen=True, kw_only=True, slots=True)
class Warp:
    """Backward warp of the pixels of ``box``: out(x, y) = in((x, y) + flow) · exp(gain).

    flow: (h, w, 2) float32 pixels, gain and alpha: (h, w) float32, on a grid that spans the box with cells of
    ``box.width / w`` pixels. alpha is 0 where nothing changes.
    """

    box: Box
    flow: np.ndarray
    gain: np.ndarray
    alpha: np.ndarray


def _splat(cells: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Add values (C, N) at fractional cells (N, 2), shared bilinearly; all cells inside ``shape`` less one.

    Returns (C, h, w)."""
    height, width = shape
    low = cells.astype(np.int32)
    fx, fy = (cells - low).T
    index = (low[:, 1] * width + low[:, 0]).astype(np.intp)
    right = values * fx
    left = values - right
    out = np.zeros((len(values), height * width))
    for half, step in ((left, 0), (right, 1)):
        down = half * fy
        for part, row in ((half - down, 0), (down, width)):
            for channel, value in zip(out, part, strict=True):
                channel += np.bincount(index + (step + row), value, minlength=height * width)
    return out.reshape(-1, height, width)


def facing(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(F,) cosine between each triangle's outward normal and the direction to the camera, ≥ 0.

    vertices: (V, 3) with z negative towards the camera.
    """
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    return np.clip(-normal[:, 2] / (np.linalg.norm(normal, axis=1) + 1e-9), 0.0, 1.0)


def dense_warp(
    surface: Surface,
    landmarks: np.ndarray,
    displacement: np.ndarray,
    gain: np.ndarray | None,
    *,
    cell: float,
    frame_size: tuple[int, int],
) -> Warp | None:
    """The warp that moves landmarks (478, 3) by displacement (478, 2), all in pixels.

    gain: (N,) log brightness ratio per surface sample or None. cell: grid spacing in pixels.
    frame_size: (width, height). None where the surface lies outside the frame.
    """
    width, height = frame_size
    vertices = surface.place @ landmarks
    moved = surface.carry @ displacement
    # One gather for positions and shifts together: (V, 4) -> (N, 4).
    attributes = np.concatenate([vertices[:, :2] + moved, moved], axis=1).astype(np.float32)
    sampled = sum(surface.weights[:, k, None] * attributes.take(surface.corners[:, k], axis=0) for k in range(3))
    place, shift = sampled[:, :2], sampled[:, 2:]
    visible = facing(vertices, surface.triangles).take(surface.triangle) * surface.area

    margin = MARGIN * cell
    outline = attributes[:, :2]  # the outermost samples lie within their triangles
    low = np.floor(np.maximum(outline.min(axis=0) - margin, 0)).astype(int)
    high = np.ceil(np.minimum(outline.max(axis=0) + margin, (width, height))).astype(int)
    if (high <= low).any():
        return None
    box = Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    grid = (max(2, round(box.height / cell)), max(2, round(box.width / cell)))
    scale = np.array([grid[1] / box.width, grid[0] / box.height], np.float32)
    # Cell i spans [i, i + 1) and is represented by its centre, hence the half. Samples off the frame are dropped.
    cells = (place - low.astype(np.float32)) * scale - np.float32(0.5)
    x, y = cells.T
    inside = np.flatnonzero((x >= 0) & (y >= 0) & (x < grid[1] - 1) & (y < grid[0] - 1) & (visible > 0))
    weight = visible[inside]
    channels = [weight, *(-shift[inside].T * weight)]
    if gain is not None:
        channels.append(gain[inside] * weight)
    sums = [
        cv2.GaussianBlur(c, (0, 0), BLUR) for c in _splat(cells[inside], np.stack(channels), grid).astype(np.float32)
    ]
    total = sums[0] + 1e-4 * float(surface.area.mean())
    flow = cv2.merge([sums[1] / total, sums[2] / total])
    brightness = sums[3] / total if gain is not None else np.zeros(grid, np.float32)
    return Warp(box=box, flow=flow, gain=brightness, alpha=change_mask(flow, brightness))


# A shift below this (pixels) and a brightness change below this (log) are left to the source picture.
STILL_SHIFT, FULL_SHIFT = 0.03, 0.25
STILL_GAIN, FULL_GAIN = 0.002, 0.012


def change_mask(flow: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """(h, w) 0..1: where the warp changes anything, feathered by how much it does; 0 at the grid's border."""
    shift = cv2.magnitude(*cv2.split(flow))
    mask = np.maximum(
        (shift - STILL_SHIFT) / (FULL_SHIFT - STILL_SHIFT), (np.abs(gain) - STILL_GAIN) / (FULL_GAIN - STILL_GAIN)
    )
    mask = np.clip(mask, 0.0, 1.0).astype(np.float32)
    mask[[0, -1]] = 0
    mask[:, [0, -1]] = 0
    return mask
