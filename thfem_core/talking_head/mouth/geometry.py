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
_MEETING, _APART = 1.0, 3.5  # gaps between the lips, pixels, up to which they meet, and from which they do not
_CONFUSED = 2.5  # pixels around the line where lips meet in which the smooth flow confuses upper and lower lip
_TOP = 5.0  # canonical height (face units) above which no surface reaches the region with its margin
_SUBPIXEL = 4  # bits


@dataclass(frozen=True, kw_only=True, slots=True)
class MouthGeometry:
    """Where the pixels of one target region (S × S) come from in the source's region with margin (R × R).

    flows: float32 (3, S, S, 2): for each target pixel its position (x, y) in the source region, in pixels whose first
        centre is at 0.5, if it moves with the face mesh, with the skull, or with the jaw.
    target_masks: float32 (2, S, S) in 0..1: inside of the target's mouth; its lips with their inside.
    source_mask: float32 (R, R) in 0..1: inside of the source's mouth.
    """

    flows: np.ndarray
    target_masks: np.ndarray
    source_mask: np.ndarray


def polygon_mask(points: np.ndarray, size: int) -> np.ndarray:
    """Fill a polygon, antialiased.

    Args:
        points: float (P, 2), its corners in pixels; the first pixel has its centre at 0.5.
        size: Side of the mask.

    Returns:
        float32 (size, size) in 0..1.
    """
    mask = np.zeros((size, size), np.uint8)
    shifted = np.rint((points - 0.5) * (1 << _SUBPIXEL)).astype(np.int32)
    cv2.fillPoly(mask, [shifted], 255, lineType=cv2.LINE_AA, shift=_SUBPIXEL)
    return mask.astype(np.float32) / 255


def _affine_grid(matrix: np.ndarray, size: int) -> np.ndarray:
    """Map the centres of pixels by a matrix (2, 3): float32 (size, size, 2)."""
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
    """Compute where the pixels of a target come from.

    Args:
        source: float (478, 3), the source's mesh in pixels of its region with margin.
        target: float (478, 3), the target's mesh in pixels of its own region with margin.
        source_skull: float (P, 2), points of the source that move with the head only (:func:`skull_points`).
        target_skull: float (P, 2), the same points of the target.
        source_size: R, side of the regions with margin.
        target_size: S, side of what is drawn: their middle.

    Returns:
        Flows and masks.
    """
    margin = (source_size - target_size) / 2
    # Both regions are fixed to the head and of one scale: what differs is the motion of the face in them.
    warp = dense_warp(
        _lower_surface(), source, (target - source)[:, :2], None, cell=CELL, frame_size=(source_size, source_size)
    )
    flows = np.empty((3, target_size, target_size, 2), np.float32)
    flows[0] = _affine_grid(np.array([[1, 0, margin], [0, 1, margin]]), target_size)
    if warp is not None:
        flows[0] += _resample(warp.flow, warp.box, target_size, margin)
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
    rows = ("interpolate", "triangle", "canonical", "area", "skin")
    return replace(whole, **{name: getattr(whole, name)[kept] for name in rows})


def _part_lips(positions: np.ndarray, source: np.ndarray, target: np.ndarray, margin: float) -> None:
    """Where the target's lips meet, let each lip come from its own side, up to the line between them.

    A flow that is smooth across that line takes its pixels from between the source's lips: a mouth that closes would
    keep a dark slit.

    Args:
        positions: float32 (S, S, 2), flow of the mesh; changed in place.
        source: float (478, 2), the source's mesh in pixels of the drawn region.
        target: float (478, 2), the target's mesh in the same pixels.
        margin: Pixels that the source's region is larger by on each side.
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
    """Place points at the upper teeth, which move with the head only.

    Args:
        pose: Head poses of T frames.

    Returns:
        float (T, P, 2), pixels of the frame.
    """
    return pose.to_image(_SKULL)[..., :2]


def _resample(flow: np.ndarray, box: Box, size: int, margin: float) -> np.ndarray:
    """Resample a flow grid over ``box`` at (size, size) pixels from ``margin`` on; border values are continued."""
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
