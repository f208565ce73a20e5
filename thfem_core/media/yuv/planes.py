"""Sample planes of a libav picture as numpy arrays: views, copies, and conversion of regions from and to RGB."""

from __future__ import annotations

import av
import cv2
import numpy as np

from ..frame import Box
from .colour import ColourTags, guessed_matrix, is_full_range, rgb_from_samples, samples_from_rgb
from .pixel_format import PixelLayout


def plane_views(picture: av.VideoFrame, layout: PixelLayout) -> tuple[np.ndarray, ...]:
    """One array (rows, columns) per plane, of the layout's dtype, sharing the picture's memory."""
    views = []
    for plane in picture.planes:
        rows = np.frombuffer(memoryview(plane), layout.dtype).reshape(plane.height, -1)
        views.append(rows[:, : plane.width])
    return tuple(views)


def blank_picture(width: int, height: int, layout: PixelLayout, tags: ColourTags) -> av.VideoFrame:
    """A new picture with undefined samples and the given colour tags."""
    picture = av.VideoFrame(width, height, layout.name)
    picture.colorspace, picture.color_range = tags.matrix, tags.range
    if hasattr(picture, "color_trc"):  # PyAV 15 and later
        picture.color_trc, picture.color_primaries = tags.transfer, tags.primaries
    return picture


def copy_picture(picture: av.VideoFrame, layout: PixelLayout, tags: ColourTags) -> av.VideoFrame:
    """A deep copy: the decoder may still predict from the original's memory, so nobody writes there."""
    twin = blank_picture(picture.width, picture.height, layout, tags)
    for new, old in zip(plane_views(twin, layout), plane_views(picture, layout), strict=True):
        np.copyto(new, old)
    return twin


def _aligned(box: Box, width: int, height: int, shift: tuple[int, int]) -> Box:
    """``box`` grown to whole chroma samples, inside the frame."""
    step_x, step_y = 1 << shift[0], 1 << shift[1]
    return Box(
        box.x0 // step_x * step_x,
        box.y0 // step_y * step_y,
        min(-(-box.x1 // step_x) * step_x, width),
        min(-(-box.y1 // step_y) * step_y, height),
    )


def _plane_box(box: Box, shift: tuple[int, int]) -> tuple[slice, slice]:
    """Where an aligned box lies in a plane subsampled by ``shift``."""
    columns = slice(box.x0 >> shift[0], -(-box.x1 >> shift[0]))
    return slice(box.y0 >> shift[1], -(-box.y1 >> shift[1])), columns


def _to_rgb(samples: np.ndarray, layout: PixelLayout, tags: ColourTags, lines: int) -> np.ndarray:
    matrix = rgb_from_samples(layout, guessed_matrix(tags, lines), is_full_range(tags, layout))
    rgb = cv2.transform(samples, matrix)
    return rgb if rgb.dtype == np.uint8 else np.minimum(rgb, 255).astype(np.uint8)


def region_to_rgb(picture: av.VideoFrame, layout: PixelLayout, tags: ColourTags, box: Box) -> np.ndarray:
    """uint8 RGB (h, w, 3) of ``box``; each chroma sample covers its block of pixels (so that pasting inverts it)."""
    views = plane_views(picture, layout)
    outer = _aligned(box, picture.width, picture.height, layout.shift)
    parts = []
    for index in layout.planes:
        shift = layout.plane_shift(index)
        part = views[index][_plane_box(outer, shift)]
        if shift != (0, 0):
            size = (part.shape[1] << shift[0], part.shape[0] << shift[1])
            part = cv2.resize(part, size, interpolation=cv2.INTER_NEAREST)[: outer.height, : outer.width]
        parts.append(part)
    rgb = _to_rgb(cv2.merge(parts * 3 if layout.is_gray else parts), layout, tags, picture.height)
    inner = rgb[box.y0 - outer.y0 : box.y1 - outer.y0, box.x0 - outer.x0 : box.x1 - outer.x0]
    return np.ascontiguousarray(inner)


def _shrunk(plane: np.ndarray, width: int, height: int) -> np.ndarray:
    """Area scaling; a whole-number step first where one fits, for which OpenCV is several times faster.

    Halving is faster still, so an even step is taken in two; more steps would round too often.
    """
    rows, columns = plane.shape
    largest = min(columns // width, rows // height)
    step = next((n for n in range(largest, 1, -1) if columns % n == 0 and rows % n == 0), 1)
    for factor in (2, step // 2) if step % 2 == 0 else (1, step):
        if factor > 1:
            rows, columns = rows // factor, columns // factor
            plane = cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA)
    if plane.shape == (height, width):
        return plane
    return cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)


def scaled_rgb(
    picture: av.VideoFrame, layout: PixelLayout, tags: ColourTags, width: int, height: int, box: Box
) -> np.ndarray:
    """uint8 RGB (height, width, 3) of ``box``; every plane is area-scaled before the colours are computed."""
    views = plane_views(picture, layout)
    places = [_plane_box(box, layout.plane_shift(index)) for index in layout.planes]
    parts = [_shrunk(views[i][place], width, height) for i, place in zip(layout.planes, places, strict=True)]
    return _to_rgb(cv2.merge(parts * 3 if layout.is_gray else parts), layout, tags, picture.height)


def warp_samples(samples: np.ndarray, to_samples: np.ndarray, width: int, height: int) -> np.ndarray:
    """Samples (H, W[, C]) at an affine grid of (height, width) points, bilinearly; beyond them the border repeats.

    to_samples: (2, 3) from points of the result to points of the samples, whose centres lie at 0.5 in both.
    """
    size = np.array([samples.shape[1], samples.shape[0]])
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ to_samples[:, :2].T + to_samples[:, 2]
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - 1, 0, size - 1)
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 1, low + 1, size)
    samples = samples[low[1] : high[1], low[0] : high[0]]  # OpenCV 4 warps nothing wider than 32,766 pixels
    indices = to_samples.copy()  # OpenCV counts from the centres
    indices[:, 2] += to_samples[:, :2] @ np.full(2, 0.5) - 0.5 - low
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(samples, indices, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def warped_rgb(
    picture: av.VideoFrame, layout: PixelLayout, tags: ColourTags, to_frame: np.ndarray, width: int, height: int
) -> np.ndarray:
    """uint8 RGB (height, width, 3) at an affine grid of points; every plane is sampled before colours are computed."""
    views = plane_views(picture, layout)
    parts = []
    for index in layout.planes:
        per_sample = np.exp2(layout.plane_shift(index))[:, None]  # pixels along x and y
        parts.append(warp_samples(views[index], to_frame / per_sample, width, height))
    return _to_rgb(cv2.merge(parts * 3 if layout.is_gray else parts), layout, tags, picture.height)


def rgb_to_samples(rgb: np.ndarray, layout: PixelLayout, tags: ColourTags, lines: int) -> list[np.ndarray]:
    """uint8 RGB (h, w, 3) to one array per colour plane, at full resolution and of the layout's dtype."""
    matrix = samples_from_rgb(layout, guessed_matrix(tags, lines), is_full_range(tags, layout))
    if layout.bits == 8:
        samples = cv2.transform(rgb, matrix)
    else:
        exact = cv2.transform(rgb.astype(np.float32), matrix)
        samples = np.clip(np.rint(exact), 0, layout.maximum).astype(layout.dtype)
    return list(cv2.split(samples))[: len(layout.planes)]


def _blocks(values: np.ndarray, shift: tuple[int, int], *, smallest: bool) -> np.ndarray:
    """Blocks of 2**shift pixels to one value each: their mean, or their smallest value."""
    if shift == (0, 0):
        return values
    step_x, step_y = 1 << shift[0], 1 << shift[1]
    height, width = values.shape
    pad_y, pad_x = -height % step_y, -width % step_x
    if pad_y or pad_x:
        values = np.pad(values, ((0, pad_y), (0, pad_x)), mode="edge")
    if smallest:
        rows = np.minimum.reduce([values[offset::step_y] for offset in range(step_y)])
        return np.minimum.reduce([rows[:, offset::step_x] for offset in range(step_x)])
    size = (values.shape[1] // step_x, values.shape[0] // step_y)
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA)


def _blend(old: np.ndarray, new: np.ndarray, alpha: np.ndarray) -> None:
    """``old += alpha * (new - old)`` in place; exact where alpha is 0 or 1 (samples are integers below 2**24)."""
    mixed = new.astype(np.float32)
    mixed -= old
    mixed *= alpha
    mixed += old
    old[...] = np.rint(mixed, out=mixed)


def blend_rgb(
    picture: av.VideoFrame, layout: PixelLayout, tags: ColourTags, box: Box, rgb: np.ndarray, alpha: np.ndarray
) -> None:
    """Blend a patch into ``picture`` in place: luma by alpha, chroma by the smallest alpha of its block.

    rgb: uint8 (h, w, 3); alpha: float32 (h, w) in 0..1; both of the size of ``box``. Transparency is left alone.
    """
    outer = _aligned(box, picture.width, picture.height, layout.shift)
    if outer != box:
        margins = ((box.y0 - outer.y0, outer.y1 - box.y1), (box.x0 - outer.x0, outer.x1 - box.x1))
        rgb = np.pad(rgb, (*margins, (0, 0)), mode="edge")
        alpha = np.pad(alpha, margins)
    views = plane_views(picture, layout)
    samples = rgb_to_samples(rgb, layout, tags, picture.height)
    for index, new in zip(layout.planes, samples, strict=True):
        shift = layout.plane_shift(index)
        target = views[index][_plane_box(outer, shift)]
        _blend(target, _blocks(new, shift, smallest=False), _blocks(alpha, shift, smallest=True))


def blend_picture(
    picture: av.VideoFrame, source: av.VideoFrame, layout: PixelLayout, box: Box, alpha: np.ndarray
) -> None:
    """Blend ``source`` into ``picture`` in place: luma by alpha, chroma by the largest alpha of its block.

    Both pictures have ``layout`` and one size; alpha: float32 (h, w) in 0..1, of the size of ``box``.
    """
    outer = _aligned(box, picture.width, picture.height, layout.shift)
    alpha = np.pad(alpha, ((box.y0 - outer.y0, outer.y1 - box.y1), (box.x0 - outer.x0, outer.x1 - box.x1)))
    old, new = plane_views(picture, layout), plane_views(source, layout)
    for index in layout.planes:
        shift = layout.plane_shift(index)
        place = _plane_box(outer, shift)
        _blend(old[index][place], new[index][place], 1 - _blocks(1 - alpha, shift, smallest=True))
