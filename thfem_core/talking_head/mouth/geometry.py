"""Where every pixel of the drawn mouth region comes from in the source's, and what lies where in it.

Three ways to carry the source over: by the whole face mesh (skin and lips), rigidly with the skull (upper teeth), and
rigidly with the jaw (lower teeth, tongue). The renderer chooses among them inside the mouth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from ...face.mesh import topology
from ...face.mesh.flow import dense_warp
from ...face.mesh.surface import Surface, face_surface
from ...face.pose import HeadPose
from ...face.smoothstep import smoothstep
from ...media.frame import Box

# Around the upper teeth on the canonical face: they move with the head only.
_SKULL = np.array([[x, y, -22.0] for x in (-22.0, 0.0, 22.0) for y in (66.0, 84.0)])
_CHIN = (152, 148, 176, 377, 400, 175, 199)
INNER_LIPS = topology.ring(topology.INNER_LIP_UPPER, topology.INNER_LIP_LOWER)
OUTER_LIPS = (
    *(61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    *(375, 321, 405, 314, 17, 84, 181, 91, 146),
)
CELL = 1.5  # pixels of the flow grid; the flow is smooth
# Gaps between the lips (pixels) up to which they meet and from which they do not, and how far about the line where they
# meet the smooth flow confuses upper and lower lip.
_MEETING, _APART = 1.0, 3.5
_CONFUSED = 2.5
_TOP = 5.0  # canonical height (face units) above which no surface reaches the region with its margin
_SUBPIXEL = 4  # bits


@dataclass(frozen=True, kw_only=True, slots=True)
class MouthGeometry:
    """For one target frame, over a region of S × S pixels.

    flows: (3, S, S, 2) float32: the position (x, y; pixels of the source region, centre of the first at 0.5) that
    mesh, skull and jaw say each pixel comes from. target_masks: (2, S, S) float32 0..1: inside of the mouth, lips with
    their inside. source_mask: (R, R) float32: inside of the source's mouth, over the R × R source region.
    """

    flows: np.ndarray
    target_masks: np.ndarray
    source_mask: np.ndarray


def polygon_mask(points: np.ndarray, size: int) -> np.ndarray:
    """(size, size) float32 0..1, antialiased: inside of the closed line ``points`` (P, 2; pixels, centres at 0.5)."""
    mask = np.zeros((size, size), np.uint8)
    shifted = np.rint((points - 0.5) * (1 << _SUBPIXEL)).astype(np.int32)
    cv2.fillPoly(mask, [shifted], 255, lineType=cv2.LINE_AA, shift=_SUBPIXEL)
    return mask.astype(np.float32) / 255


def _affine_grid(matrix: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 2): where the centres of the pixels go under ``matrix`` (2, 3)."""
    axis = np.arange(size, dtype=np.float32) + 0.5
    x, y = np.meshgrid(axis, axis)
    return np.stack([matrix[i, 0] * x + matrix[i, 1] * y + matrix[i, 2] for i in range(2)], axis=-1).astype(np.float32)


def mouth_geometry(
    source: np.ndarray,
    target: np.ndarray,
    source_skull: np.ndarray,
    target_skull: np.ndarray,
    *,
    source_size: int,
    target_size: int,
) -> MouthGeometry:
    """The geometry from meshes in region pixels.

    source, target: (478, 3), each in pixels of its own frame's region with margin (R × R, R = ``source_size``), whose
    middle S × S pixels (S = ``target_size``) are what is drawn. source_skull, target_skull: (P, 2) points that move
    with the head only (:func:`skull_points`), in the same pixels.
    """
    margin = (source_size - target_size) / 2
    # Both regions are fixed to the head and of one scale: what differs is the motion of the face in them.
    warp = dense_warp(
        _lower_surface(), source, (target - source)[:, :2], None, cell=CELL, frame_size=(source_size, source_size)
    )
    flows = np.empty((3, target_size, target_size, 2), np.float32)
    flows[0] = _affine_grid(np.array([[1, 0, margin], [0, 1, margin]]), target_size)
    if warp is not None:
        flows[0] += _spread(warp.flow, warp.box, target_size, margin)
    _part_lips(flows[0], source[:, :2] - margin, target[:, :2] - margin, margin)
    ones = np.column_stack([target_skull, np.ones(len(target_skull))])
    skull = np.linalg.lstsq(ones, source_skull, rcond=None)[0].T
    chin = list(_CHIN)
    dropped = source[chin, :2] - (target[chin, :2] @ skull[:, :2].T + skull[:, 2])
    flows[1] = _affine_grid(np.column_stack([skull[:, :2], skull[:, 2] + skull[:, :2] @ (margin, margin)]), target_size)
    flows[2] = flows[1] + dropped.mean(axis=0).astype(np.float32)
    return MouthGeometry(
        flows=flows,
        target_masks=np.stack(
            [polygon_mask(target[list(ring), :2] - margin, target_size) for ring in (INNER_LIPS, OUTER_LIPS)]
        ),
        source_mask=polygon_mask(source[list(INNER_LIPS), :2], source_size),
    )


@lru_cache(maxsize=1)
def _lower_surface() -> Surface:
    """The part of the face's surface that can lie in the region."""
    whole = face_surface()
    kept = whole.canonical[:, 1] > _TOP
    rows = ("corners", "weights", "triangle", "canonical", "area", "skin")
    return replace(whole, **{name: getattr(whole, name)[kept] for name in rows})


def _part_lips(positions: np.ndarray, source: np.ndarray, target: np.ndarray, margin: float) -> None:
    """Where the target's lips meet, let each lip come from its own side, up to the line between them.

    A flow that is smooth across that line takes it from between the source's lips: a closed mouth would keep a dark
    slit. positions: (S, S, 2), of the mesh's flow, is changed in place; source, target: (478, 2) in its pixels.
    """
    upper, lower = list(topology.INNER_LIP_UPPER), list(topology.INNER_LIP_LOWER)
    line = (target[upper] + target[lower]) / 2
    order = np.argsort(line[:, 0])
    x = line[order, 0]
    size = len(positions)
    first, stop = max(0, int(np.ceil(x[0] - 0.5))), min(size, int(np.floor(x[-1] - 0.5)) + 1)
    low, high = line[:, 1].min() - 3 * _CONFUSED, line[:, 1].max() + 3 * _CONFUSED
    top, bottom = max(0, int(low)), min(size, int(np.ceil(high)) + 1)
    if first >= stop or top >= bottom:
        return
    columns = np.arange(first, stop) + 0.5

    def along(values: np.ndarray) -> np.ndarray:
        return np.interp(columns, x, values[order])

    meeting = 1 - smoothstep(along(target[lower, 1] - target[upper, 1]), _MEETING, _APART)
    if not meeting.any():
        return
    rows = np.arange(top, bottom)[:, None] + 0.5
    below = rows - along(line[:, 1])
    share = (meeting * np.exp(-((below / _CONFUSED) ** 2))).astype(np.float32)
    part = positions[top:bottom, first:stop]
    for axis, place in enumerate((columns, rows)):
        shift = [along(source[ring, axis] - target[ring, axis]) for ring in (upper, lower)]
        own = place + margin + np.where(below < 0, *shift)
        part[..., axis] += share * (own.astype(np.float32) - part[..., axis])
    # Farther off the smooth flow may still reach beyond a lip: no pixel comes from farther inside than it lies.
    inside = rows - along(target[upper, 1]), along(target[lower, 1]) - rows
    highest = along(source[upper, 1]) + margin + np.maximum(inside[0], 0)
    lowest = along(source[lower, 1]) + margin - np.maximum(inside[1], 0)
    held = np.where(below < 0, np.minimum(part[..., 1], highest), np.maximum(part[..., 1], lowest))
    part[..., 1] += meeting * (held - part[..., 1])


def skull_points(pose: HeadPose) -> np.ndarray:
    """(T, P, 2) pixels: points at the upper teeth that move with the head only."""
    return pose.to_image(_SKULL)[..., :2]


def _spread(flow: np.ndarray, box: Box, size: int, margin: float) -> np.ndarray:
    """A flow grid over ``box`` as (size, size, 2), ``margin`` pixels from its origin on, border values continued."""
    height, width = flow.shape[:2]
    x_scale, y_scale = width / box.width, height / box.height
    matrix = np.array(
        [
            [x_scale, 0, (margin + 0.5 - box.x0) * x_scale - 0.5],
            [0, y_scale, (margin + 0.5 - box.y0) * y_scale - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(flow, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
