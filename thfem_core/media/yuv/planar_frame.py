"""A frame kept in the pixel format it was decoded to, so that what is not edited stays bit-identical."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import av
import numpy as np

from ..frame import Box, Frame
from .colour import ColourTags
from .pixel_format import PixelLayout
from .planes import (
    blank_picture,
    blend_picture,
    blend_rgb,
    copy_picture,
    plane_views,
    region_to_rgb,
    scaled_rgb,
    warped_rgb,
)


def check_patch(frame_size: tuple[int, int], box: Box, rgb: np.ndarray, alpha: np.ndarray) -> None:
    """Raise ValueError where a patch does not fit its box or the box leaves the frame (width, height)."""
    if box != box.clipped(*frame_size):
        raise ValueError(f"{box} is not inside the {frame_size[0]}x{frame_size[1]} frame; clip it first")
    expected = (box.height, box.width)
    if rgb.shape != (*expected, 3) or rgb.dtype != np.uint8 or alpha.shape != expected:
        raise ValueError(f"a patch for {box} needs uint8 rgb {(*expected, 3)} and alpha {expected}")


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanarFrame:
    """:class:`.frame.Frame` over a planar libav picture (any depth, range, matrix, with or without alpha).

    The picture is never written to after construction; ``paste`` works on a copy.
    """

    index: int
    time: Fraction
    picture: av.VideoFrame
    layout: PixelLayout
    tags: ColourTags

    @property
    def width(self) -> int:
        return self.picture.width

    @property
    def height(self) -> int:
        return self.picture.height

    def rgb(self, box: Box | None = None) -> np.ndarray:
        box = Box(0, 0, self.width, self.height) if box is None else box
        if box != box.clipped(self.width, self.height):
            raise ValueError(f"{box} is not inside the {self.width}x{self.height} frame; clip it first")
        if not box.width or not box.height:
            return np.zeros((box.height, box.width, 3), np.uint8)
        return region_to_rgb(self.picture, self.layout, self.tags, box)

    def thumbnail(self, width: int, height: int, box: Box | None = None) -> np.ndarray:
        box = box or Box(0, 0, self.width, self.height)
        return scaled_rgb(self.picture, self.layout, self.tags, width, height, box)

    def warped(self, to_frame: np.ndarray, width: int, height: int) -> np.ndarray:
        return warped_rgb(self.picture, self.layout, self.tags, to_frame, width, height)

    def paste(self, box: Box, rgb: np.ndarray, alpha: np.ndarray) -> PlanarFrame:
        check_patch((self.width, self.height), box, rgb, alpha)
        if not alpha.any():
            return self
        picture = copy_picture(self.picture, self.layout, self.tags)
        blend_rgb(picture, self.layout, self.tags, box, rgb, alpha.astype(np.float32, copy=False))
        return replace(self, picture=picture)

    def restored(self, source: Frame, box: Box, alpha: np.ndarray) -> Frame:
        if not isinstance(source, PlanarFrame) or source.layout != self.layout:
            return self.paste(box, source.rgb(box), alpha)
        if source.picture is self.picture or not alpha.any():
            return self
        picture = copy_picture(self.picture, self.layout, self.tags)
        blend_picture(picture, source.picture, self.layout, box, alpha.astype(np.float32, copy=False))
        return replace(self, picture=picture)


def picture_from_rgb(rgb: np.ndarray, layout: PixelLayout, tags: ColourTags) -> av.VideoFrame:
    """A new picture in ``layout`` from uint8 RGB (H, W, 3); opaque where the format has transparency."""
    height, width = rgb.shape[:2]
    picture = blank_picture(width, height, layout, tags)
    views = plane_views(picture, layout)
    for view in views:
        view[...] = 0
    if layout.alpha is not None:
        views[layout.alpha][...] = layout.maximum
    blend_rgb(picture, layout, tags, Box(0, 0, width, height), rgb, np.ones((height, width), np.float32))
    return picture
