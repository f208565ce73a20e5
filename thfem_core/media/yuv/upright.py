"""Turning decoded pictures upright by the display matrix that cameras and phones store."""

from __future__ import annotations

import struct

import av
import numpy as np

from .colour import ColourTags
from .pixel_format import PixelLayout, pixel_layout
from .planes import blank_picture, plane_views

# (quarter turns counter-clockwise, then mirrored left to right)
Orientation = tuple[int, bool]
UPRIGHT: Orientation = (0, False)


def picture_orientation(picture: av.VideoFrame) -> Orientation:
    """How to turn a decoded picture upright; arbitrary angles are taken to the nearest quarter turn."""
    data = picture.side_data.get("DISPLAYMATRIX")
    if data is None:
        return UPRIGHT
    a, b, _, c, d = struct.unpack("<5i", bytes(data)[:20])  # type: ignore[call-overload]
    # The matrix maps (x, y) to (a x + c y, b x + d y), x right, y down.
    mirrored = a * d - b * c < 0
    if mirrored:
        a, c = -a, -c  # undo the final mirroring: x -> -x
    turns = round(float(np.degrees(np.arctan2(-b, a))) / 90.0) % 4
    return turns, mirrored


def upright_size(size: tuple[int, int], orientation: Orientation) -> tuple[int, int]:
    """(width, height) after turning."""
    return (size[1], size[0]) if orientation[0] % 2 else size


def turn_upright(
    picture: av.VideoFrame, layout: PixelLayout, tags: ColourTags, orientation: Orientation
) -> tuple[av.VideoFrame, PixelLayout]:
    """A turned copy and its layout; samples are moved, never mixed.

    Chroma that would no longer sit on whole blocks (4:2:2 turned by 90°, odd sizes) is repeated to 4:4:4 first.
    """
    turns, mirrored = orientation
    if orientation == UPRIGHT:
        return picture, layout
    step_x, step_y = 1 << layout.shift[0], 1 << layout.shift[1]
    views = plane_views(picture, layout)
    if (turns % 2 and step_x != step_y) or picture.width % step_x or picture.height % step_y:
        views = tuple(_full_size(view, layout.plane_shift(index), picture) for index, view in enumerate(views))
        alpha = "a" if layout.alpha is not None else ""
        layout = pixel_layout(f"yuv{alpha}444p" + (f"{layout.bits}le" if layout.bits > 8 else "")) or layout
    width, height = upright_size((picture.width, picture.height), orientation)
    turned = blank_picture(width, height, layout, tags)
    for new, old in zip(plane_views(turned, layout), views, strict=True):
        upright = np.rot90(old, turns)
        new[...] = upright[:, ::-1] if mirrored else upright
    return turned, layout


def _full_size(plane: np.ndarray, shift: tuple[int, int], picture: av.VideoFrame) -> np.ndarray:
    """Every sample repeated over its block of pixels."""
    blocks = plane.repeat(1 << shift[0], axis=1).repeat(1 << shift[1], axis=0)
    return blocks[: picture.height, : picture.width]
