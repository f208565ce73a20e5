"""Frames of any kind as pictures an encoder takes, without touching samples that fit as they are."""

from __future__ import annotations

from dataclasses import replace

import av
import cv2
import numpy as np

from ..frame import Frame
from .colour import FULL_RANGE, LIMITED_RANGE, ColourTags, guessed_matrix, is_full_range
from .pixel_format import PixelLayout
from .planar_frame import PlanarFrame, picture_from_rgb
from .planes import blank_picture, plane_views


def encoder_tags(first: Frame) -> ColourTags:
    """Colour tags of the output: the source's own; RGB and grey sources become limited-range YUV of their size."""
    if isinstance(first, PlanarFrame) and not first.layout.is_rgb and not first.layout.is_gray:
        full = is_full_range(first.tags, first.layout)
        return replace(first.tags, range=FULL_RANGE) if full else first.tags
    tags = first.tags if isinstance(first, PlanarFrame) else ColourTags()
    matrix = guessed_matrix(ColourTags(), first.height)
    return replace(tags, matrix=matrix, range=LIMITED_RANGE)


def _scaled_alpha(alpha: np.ndarray, bits: int, layout: PixelLayout) -> np.ndarray:
    factor = layout.maximum / ((1 << bits) - 1)
    return np.rint(alpha * factor).astype(layout.dtype)


def _resampled(plane: np.ndarray, shape: tuple[int, int], bits: int, layout: PixelLayout) -> np.ndarray:
    """A luma or chroma plane at another size and depth (depths of video differ by a power of two)."""
    if plane.shape != shape:
        finer = shape[0] >= plane.shape[0] and shape[1] >= plane.shape[1]
        plane = cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_NEAREST if finer else cv2.INTER_AREA)
    if bits == layout.bits:
        return plane
    scaled = np.rint(np.ldexp(plane.astype(np.float32), layout.bits - bits))
    return np.clip(scaled, 0, layout.maximum).astype(layout.dtype)


def encoder_picture(frame: Frame, layout: PixelLayout, tags: ColourTags) -> av.VideoFrame:
    """``frame`` as a picture of exactly ``layout``, in the colours of ``tags`` (see :func:`encoder_tags`)."""
    if not isinstance(frame, PlanarFrame):
        return picture_from_rgb(frame.rgb(), layout, tags)
    source = frame.layout
    if source == layout:
        return frame.picture
    old = plane_views(frame.picture, source)
    if source.is_rgb or source.is_gray:
        picture = picture_from_rgb(frame.rgb(), layout, tags)
    else:
        picture = blank_picture(frame.width, frame.height, layout, tags)
        new = plane_views(picture, layout)
        for index, source_index in zip(layout.planes, source.planes, strict=True):
            new[index][...] = _resampled(old[source_index], new[index].shape, source.bits, layout)
        if layout.alpha is not None:
            new[layout.alpha][...] = layout.maximum
    if layout.alpha is not None and source.alpha is not None:
        plane_views(picture, layout)[layout.alpha][...] = _scaled_alpha(old[source.alpha], source.bits, layout)
    return picture
