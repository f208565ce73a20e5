"""Applying a dense warp to the picture, at the picture's own resolution."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ...face.mesh.flow import Warp
from ...media.frame import Box, Frame

CUBIC_REACH = 2  # pixels that bicubic interpolation reads beyond the place it samples


def apply_warp(frame: Frame, warp: Warp, slopes: Sequence[float] = (1.0, 1.0, 1.0)) -> Frame:
    """Warp a frame: bicubic, brightness changed in the video's own transfer curve, feathered.

    Args:
        frame: Any pixel format.
        warp: Backward warp of a part of it.
        slopes: Factors on the warp's log gain for R, G and B.

    Returns:
        The warped frame; pixels whose alpha is 0 keep their stored values bit for bit.
    """
    box = _changed_box(warp)
    if box is None or not (box := box.clipped(frame.width, frame.height)).width or not box.height:
        return frame
    reach = int(np.ceil(np.abs(warp.flow).max())) + CUBIC_REACH
    source = Box(box.x0 - reach, box.y0 - reach, box.x1 + reach, box.y1 + reach).clipped(frame.width, frame.height)
    places = _at_pixels(warp.flow + _cell_centres(warp, source), warp, box)
    moved = cv2.remap(  # type: ignore[call-overload]  # the stubs want a second map
        frame.rgb(source), places, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    if warp.gain.any():
        gain = cv2.merge([np.exp(np.float32(slope) * warp.gain) for slope in slopes])
        moved = cv2.multiply(moved, _at_pixels(gain, warp, box), dtype=cv2.CV_8U)
    return frame.paste(box, moved, _at_pixels(warp.alpha, warp, box))


def _changed_box(warp: Warp) -> Box | None:
    """The part of the warp's box, in pixels, that cells whose alpha is not 0 reach; None if nothing changes."""
    rows, columns = np.flatnonzero(warp.alpha.any(axis=1)), np.flatnonzero(warp.alpha.any(axis=0))
    if not len(rows):
        return None
    height, width = warp.alpha.shape
    x_cell, y_cell = warp.box.width / width, warp.box.height / height
    x0, y0, x1, y1 = warp.box
    return Box(
        max(x0, x0 + int((columns[0] - 1) * x_cell)),
        max(y0, y0 + int((rows[0] - 1) * y_cell)),
        min(x1, x0 + int(np.ceil((columns[-1] + 2) * x_cell))),
        min(y1, y0 + int(np.ceil((rows[-1] + 2) * y_cell))),
    )


def _cell_centres(warp: Warp, source: Box) -> np.ndarray:
    """(h, w, 2) float32: x and y of the middles of the warp's cells, as OpenCV counts the pixels of ``source``."""
    height, width = warp.alpha.shape
    x = warp.box.x0 - source.x0 - 0.5 + (np.arange(width) + 0.5) * (warp.box.width / width)
    y = warp.box.y0 - source.y0 - 0.5 + (np.arange(height) + 0.5) * (warp.box.height / height)
    return np.stack(np.meshgrid(x.astype(np.float32), y.astype(np.float32)), axis=2)


def _at_pixels(grid: np.ndarray, warp: Warp, box: Box) -> np.ndarray:
    """Bring a grid (h, w) or (h, w, C) of the warp to the pixels of ``box``, a part of the warp's own, bilinearly."""
    pixels = cv2.resize(grid, (warp.box.width, warp.box.height), interpolation=cv2.INTER_LINEAR)
    x0, y0, x1, y1 = np.subtract(box, (*warp.box[:2], *warp.box[:2]))
    return pixels[y0:y1, x0:x1]
