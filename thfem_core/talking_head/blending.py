"""Cross-fading drawn faces, and pasting them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..media.frame import Box, Frame
from .head import FacePatch


def blend_patches(patches: Sequence[tuple[FacePatch, float]]) -> FacePatch | None:
    """One patch that pastes as the mean of all over the untouched picture, each counted by its share 0..1.

    Shares that sum to less than 1 leave the rest to what is there. Equal patches whose shares sum to 1 come out as they
    are. None where there is no patch.
    """
    if not patches:
        return None
    first, share = patches[0]
    if len(patches) == 1:
        return FacePatch(box=first.box, rgb=first.rgb, alpha=_weighted(first, share).astype(np.float32))
    box = Box(
        min(patch.box.x0 for patch, _ in patches),
        min(patch.box.y0 for patch, _ in patches),
        max(patch.box.x1 for patch, _ in patches),
        max(patch.box.y1 for patch, _ in patches),
    )
    colour = np.zeros((box.height, box.width, 3), np.float64)
    alpha = np.zeros((box.height, box.width), np.float64)
    for patch, share in patches:
        part = (
            slice(patch.box.y0 - box.y0, patch.box.y1 - box.y0),
            slice(patch.box.x0 - box.x0, patch.box.x1 - box.x0),
        )
        weight = _weighted(patch, share)
        alpha[part] += weight
        colour[part] += weight[..., None] * patch.rgb
    colour /= np.maximum(alpha, 1e-12)[..., None]
    return FacePatch(box=box, rgb=np.rint(colour).astype(np.uint8), alpha=np.clip(alpha, 0, 1).astype(np.float32))


def _weighted(patch: FacePatch, share: float) -> np.ndarray:
    return share * patch.alpha.astype(np.float64)


def paste_patch(frame: Frame, patch: FacePatch) -> Frame:
    """The frame with the patch in it, as far as the frame reaches."""
    box = patch.box.clipped(frame.width, frame.height)
    if not box.width or not box.height:
        return frame
    rows = slice(box.y0 - patch.box.y0, box.y1 - patch.box.y0)
    columns = slice(box.x0 - patch.box.x0, box.x1 - patch.box.x0)
    return frame.paste(box, np.ascontiguousarray(patch.rgb[rows, columns]), patch.alpha[rows, columns])
