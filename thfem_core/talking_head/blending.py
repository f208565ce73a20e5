"""Cross-fading drawn faces, and pasting them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..face.occlusion.clip import ClipOcclusion
from ..media.frame import Box, Frame
from .head import FacePatch


def blend_patches(patches: Sequence[tuple[FacePatch, float]]) -> FacePatch | None:
    """Join several drawings of one face into a patch that pastes as their weighted mean over the untouched picture.

    Equal patches whose shares sum to 1 come out as they are.

    Args:
        patches: Drawings, each with its share in 0..1. Shares that sum to less than 1 leave the rest to the picture.

    Returns:
        One patch that covers all of them; None where there is none.
    """
    if not patches:
        return None
    first, share = patches[0]
    if len(patches) == 1:
        return FacePatch(box=first.box, rgb=first.rgb, alpha=_weighted_alpha(first, share).astype(np.float32))
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
        weight = _weighted_alpha(patch, share)
        alpha[part] += weight
        colour[part] += weight[..., None] * patch.rgb
    colour /= np.maximum(alpha, 1e-12)[..., None]
    return FacePatch(box=box, rgb=np.rint(colour).astype(np.uint8), alpha=np.clip(alpha, 0, 1).astype(np.float32))


def _weighted_alpha(patch: FacePatch, share: float) -> np.ndarray:
    weighted: np.ndarray = share * patch.alpha.astype(np.float64)
    return weighted


def without_carried(
    patch: FacePatch, occlusion: ClipOcclusion | None, *, track_id: int, source: int, target: int
) -> FacePatch:
    """Make a patch transparent where it shows what was in front of the face in the frame that it was drawn from.

    Where a part of the mouth is covered in the drawn frame, all of the patch fades.

    Args:
        patch: The drawn face.
        occlusion: What is in front of the faces; None if nobody looks.
        track_id: Of the face.
        source: Number of the frame whose pixels were used.
        target: Number of the frame that is drawn.

    Returns:
        The patch, with a new alpha where something was in front.
    """
    if occlusion is None:
        return patch
    free = occlusion.lips_free(track_id, target)
    carried = occlusion.carried(track_id, source, target, patch.box)
    if carried is None and free == 1:
        return patch
    return replace(patch, alpha=np.float32(free) * patch.alpha * (1 - (0 if carried is None else carried)))


def paste_patch(frame: Frame, patch: FacePatch) -> Frame:
    """Paste a drawn face into its frame.

    Args:
        frame: The frame.
        patch: The face; what lies outside the frame is cut off.

    Returns:
        The frame with the face in it.
    """
    box = patch.box.clipped(frame.width, frame.height)
    if not box.width or not box.height:
        return frame
    rows = slice(box.y0 - patch.box.y0, box.y1 - patch.box.y0)
    columns = slice(box.x0 - patch.box.x0, box.x1 - patch.box.x0)
    return frame.paste(box, np.ascontiguousarray(patch.rgb[rows, columns]), patch.alpha[rows, columns])
