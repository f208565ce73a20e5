"""Bringing what LivePortrait drew back into the frame: as it is, or as a change of the native pixels.

LivePortrait draws 512 × 512 pixels, softer than the video and slightly off in colour. *Difference rendering* draws the
face twice, unchanged and edited, and adds the difference to the native frame: what the edit leaves alone keeps its
native pixels, and whatever the renderer does wrong in both pictures cancels. Where the edit moves things, the native
detail would stay behind as a ghost; there the finest detail is taken from the drawn face instead.
"""

from __future__ import annotations

import cv2
import numpy as np

from ...face.blend import place_crop
from ...face.crop import FaceCrop, crop_frame
from ...face.smoothstep import smoothstep
from ...media.frame import Box, Frame

_BORDER = 16 / 512  # share of the crop's side over which it fades out
_DETAIL = 3 / 512  # standard deviation, as a share of the side, below which structure counts as detail
_MOVED = (0.02, 0.10)  # change of brightness (0..1) from which detail counts as moved, and by which it has
_SEEN = 0.25 / 255  # change of a sample that is worth writing


def border_mask(size: int) -> np.ndarray:
    """(size, size) float32: 1 inside a crop, falling to 0 at its rounded border, as LivePortrait blends."""
    feather = _BORDER * size
    index = np.arange(size)
    beyond = np.maximum(np.maximum(feather - index, index - (size - feather)), 0.0)
    return np.clip(1.0 - np.hypot(beyond[:, None], beyond[None]) / feather, 0.0, 1.0).astype(np.float32)


def paste_plain(frame: Frame, crop: FaceCrop, drawn: np.ndarray, *, weight: float = 1.0) -> Frame:
    """Show the drawn face in place of the native one.

    Args:
        frame: The native frame.
        crop: Where the face was cropped.
        drawn: (size, size, 3) float32 RGB in 0..1.
        weight: Share of the drawn face, 0..1.

    Returns:
        The frame with the face.
    """
    picture = np.rint(drawn.clip(0.0, 1.0) * 255.0).astype(np.uint8)
    placed = place_crop(frame, crop, picture, weight * border_mask(len(drawn)))
    return frame if placed is None else frame.paste(*placed)


def paste_difference(
    frame: Frame, crop: FaceCrop, unchanged: np.ndarray, edited: np.ndarray, *, weight: float = 1.0
) -> Frame:
    """:func:`difference_patch`, pasted; samples that the edit does not move keep their stored value."""
    patch = difference_patch(frame, crop, unchanged, edited, weight=weight)
    return frame if patch is None else frame.paste(*patch)


def difference_patch(
    frame: Frame, crop: FaceCrop, unchanged: np.ndarray, edited: np.ndarray, *, weight: float = 1.0
) -> tuple[Box, np.ndarray, np.ndarray] | None:
    """Change the native face by the difference of two drawn ones; what they have in common stays as it is.

    Args:
        frame: The native frame.
        crop: Where the face was cropped.
        unchanged: (size, size, 3) float32 RGB in 0..1, the face as it is, drawn.
        edited: The same with the edit.
        weight: Share of the change, 0..1.

    Returns:
        What ``frame.paste`` takes: a box, its changed pixels, and 1 where they differ; None where nothing does.
    """
    size = len(edited)
    change = edited - unchanged
    moved = _moved(change)
    if moved.any():
        native = crop_frame(frame, crop, size).astype(np.float32) / np.float32(255.0)
        change = change - moved[..., None] * _detail(native - unchanged)
    placed = place_crop(frame, crop, np.ascontiguousarray(change, np.float32), weight * border_mask(size))
    if placed is None:
        return None
    box, change, alpha = placed
    change = change * alpha[..., None]
    written = (np.abs(change).max(axis=-1) > _SEEN).astype(np.float32)
    if not written.any():
        return None
    pixels = frame.rgb(box).astype(np.float32) + np.float32(255.0) * change
    return box, np.rint(pixels.clip(0.0, 255.0)).astype(np.uint8), written


def _detail(picture: np.ndarray) -> np.ndarray:
    """What a blur removes."""
    return picture - cv2.GaussianBlur(picture, (0, 0), _DETAIL * len(picture))


def _moved(change: np.ndarray) -> np.ndarray:
    """(size, size) float32 in 0..1: how surely the edit moved what is seen there."""
    largest = np.abs(change).max(axis=-1)
    return cv2.GaussianBlur(smoothstep(largest, *_MOVED).astype(np.float32), (0, 0), _DETAIL * len(change))
