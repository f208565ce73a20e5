"""Pictures in another size or pixel format, above all in a planar one."""

from __future__ import annotations

import av
import numpy as np

from .colour import ColourTags
from .pixel_format import PixelLayout, pixel_layout, planar_format
from .planes import blank_picture, plane_views

# Byte positions of red, green, blue and alpha.
_PACKED_ALPHA = {"rgba": (0, 1, 2, 3), "bgra": (2, 1, 0, 3), "argb": (1, 2, 3, 0), "abgr": (3, 2, 1, 0)}

# On several threads, as PyAV 17 lets it, libswscale now and then loses rows of packed 10-bit chroma (p010, y210).
_ONE_THREAD = {"threads": 1} if int(av.__version__.split(".")[0]) >= 17 else {}


def reformatted(
    picture: av.VideoFrame, width: int | None = None, height: int | None = None, format: str | None = None
) -> av.VideoFrame:
    """The picture in another size or pixel format, as libswscale converts it on one thread.

    Args:
        picture: any decoded picture.
        width: pixels; the picture's own where None.
        height: pixels; the picture's own where None.
        format: FFmpeg's name of a pixel format; the picture's own where None.

    Returns:
        A new picture, or the same where nothing changes.
    """
    return picture.reformat(width, height, format, **_ONE_THREAD)


def to_planar(picture: av.VideoFrame) -> tuple[av.VideoFrame, PixelLayout]:
    """The picture in a planar format, without loss, and its layout (the same picture where it is planar)."""
    name = planar_format(picture.format.name)
    layout = pixel_layout(name)
    if layout is None:
        raise ValueError(f"pixel format {name} is not planar")
    if picture.format.name == "pal8":
        picture = reformatted(picture, format="rgba")
    if picture.format.name in _PACKED_ALPHA:
        picture = _unpacked(picture, layout, _PACKED_ALPHA[picture.format.name])
    elif name != picture.format.name:
        picture = reformatted(picture, format=name)
    return picture, layout


def _unpacked(picture: av.VideoFrame, layout: PixelLayout, positions: tuple[int, ...]) -> av.VideoFrame:
    """Packed 8-bit colours with alpha as planes; some versions of swscale change them by 1."""
    plane = picture.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(picture.height, -1)
    pixels = rows[:, : 4 * picture.width].reshape(picture.height, picture.width, 4)
    flat = blank_picture(picture.width, picture.height, layout, ColourTags())
    views = plane_views(flat, layout)
    for index, position in zip(layout.planes, positions, strict=False):
        views[index][...] = pixels[..., position]
    if layout.alpha is not None:
        views[layout.alpha][...] = pixels[..., positions[-1]]
    return flat
