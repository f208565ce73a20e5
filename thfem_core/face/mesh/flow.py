"""From moved mesh to dense backward flow, without a triangle rasteriser: splat, blur, normalise.

Every surface sample drops "come from here" and "this much brighter" at the place it moves to; a small Gaussian
closes the gaps (normalised convolution, Knutsson and Westin 1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ...media.frame import Box
from .surface import Surface

BLUR = 0.8  # standard deviation of the Gaussian, cells
MARGIN = 3  # cells around the moved surface
BACKGROUND = 1e-4  # weight of "nothing moves" against a mean sample: decides where no sample lies
# Shifts (pixels) and brightness changes (log) up to which a pixel stays the source's, and from which on it is drawn.
STILL_SHIFT, FULL_SHIFT = 0.03, 0.25
STILL_GAIN, FULL_GAIN = 0.002, 0.012


@dataclass(frozen=True, kw_only=True, slots=True)
class Warp:
    """Backward warp of the pixels of a box: out(x, y) = in((x, y) + flow) · exp(gain).

    The fields lie on a grid of (h, w) cells that spans the box.

    box: Part of the frame, pixels.
    flow: (h, w, 2) float32, x and y in pixels.
    gain: (h, w) float32 log brightness ratio.
    alpha: (h, w) float32 opacity 0..1 of the warped picture over the source, 0 where nothing changes.
    """

    box: Box
    flow: np.ndarray
    gain: np.ndarray
    alpha: np.ndarray


def _splat(cells: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Add values (C, N) at fractional cells (2, N), all inside ``shape`` less one, shared bilinearly: (C, h, w)."""
    height, width = shape
    cells, values = (each.astype(np.float32, copy=False) for each in (cells, values))
    low = cells.astype(np.int32)
    fx, fy = cells - low.astype(np.float32)
    index = torch.from_numpy((low[1] * width + low[0]).astype(np.int64))
    right = values * fx
    left = values - right
    out = torch.zeros(len(values), height * width)
    for half, step in ((left, 0), (right, 1)):
        down = half * fy
        for part, row in ((half - down, 0), (down, width)):
            out.index_add_(1, index + (step + row), torch.from_numpy(part))
    return out.numpy().reshape(-1, height, width)


def facing(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Compute how much triangles face the camera.

    Args:
        vertices: (V, 3), z negative towards the camera.
        triangles: (F, 3) indices.

    Returns:
        (F,) cosine between outward normal and the direction to the camera, 0 for those that face away.
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
    """Make the warp that moves a face's landmarks.

    Args:
        surface: Samples of the face mesh.
        landmarks: (478, 3) in pixels.
        displacement: (478, 2) in pixels.
        gain: (N,) log brightness ratio per surface sample, or None for none.
        cell: Grid spacing in pixels.
        frame_size: Width and height in pixels.

    Returns:
        The warp, or None where the surface lies outside the frame.
    """
    width, height = frame_size
    vertices = surface.place @ landmarks
    moved = surface.carry @ displacement
    attributes = np.concatenate([vertices[:, :2] + moved, moved], axis=1).astype(np.float32)
    place_x, place_y, shift_x, shift_y = np.ascontiguousarray((surface.interpolate @ attributes).T)
    visible = facing(vertices, surface.triangles).take(surface.triangle) * surface.area

    margin = MARGIN * cell
    outline = attributes[:, :2]  # the outermost samples lie within their triangles
    low = np.floor(np.maximum(outline.min(axis=0) - margin, 0)).astype(int)
    high = np.ceil(np.minimum(outline.max(axis=0) + margin, (width, height))).astype(int)
    if (high <= low).any():
        return None
    box = Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    grid = (max(2, round(box.height / cell)), max(2, round(box.width / cell)))
    # Cell i spans [i, i + 1) and is represented by its centre, hence the half. Samples off the frame are dropped.
    x = (place_x - np.float32(box.x0)) * np.float32(grid[1] / box.width) - np.float32(0.5)
    y = (place_y - np.float32(box.y0)) * np.float32(grid[0] / box.height) - np.float32(0.5)
    inside = np.flatnonzero((x >= 0) & (y >= 0) & (x < grid[1] - 1) & (y < grid[0] - 1) & (visible > 0))
    weight = visible[inside]
    channels = [weight, -shift_x[inside] * weight, -shift_y[inside] * weight]
    if gain is not None:
        channels.append(gain[inside] * weight)
    cells = np.stack([x[inside], y[inside]])
    sums = [cv2.GaussianBlur(c, (0, 0), BLUR) for c in _splat(cells, np.stack(channels), grid)]
    total = sums[0] + BACKGROUND * float(surface.area.mean())
    flow = cv2.merge([sums[1] / total, sums[2] / total])
    brightness = sums[3] / total if gain is not None else np.zeros(grid, np.float32)
    return Warp(box=box, flow=flow, gain=brightness, alpha=change_mask(flow, brightness))


def change_mask(flow: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Say where a warp changes anything.

    Args:
        flow: (h, w, 2) in pixels.
        gain: (h, w) log brightness ratio.

    Returns:
        (h, w) float32 0..1, rising with the change, 0 at the grid's border.
    """
    shift = cv2.magnitude(*cv2.split(flow))
    mask = np.maximum(
        (shift - STILL_SHIFT) / (FULL_SHIFT - STILL_SHIFT), (np.abs(gain) - STILL_GAIN) / (FULL_GAIN - STILL_GAIN)
    )
    mask = np.clip(mask, 0.0, 1.0).astype(np.float32)
    mask[[0, -1]] = 0
    mask[:, [0, -1]] = 0
    return mask
