"""Putting a drawn face back into its crop and frame: soft erosion of the mask and a Laplacian pyramid."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import cv2
import numpy as np

LEVELS = 4
_MASK_KERNEL, _MASK_THRESHOLD = 21, 0.6  # of the face mask itself
_BLEND_KERNEL, _BLEND_THRESHOLD = 33 / 256, 0.8  # of the blend; the kernel as a part of the crop's height


def soft_erosion(mask: np.ndarray, kernel: int, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Shrink a mask by a cone-shaped average.

    Args:
        mask: Mask (H, W) in 0..1.
        kernel: Odd side of the cone in pixels.
        threshold: Average from which a pixel is inside.

    Returns:
        Soft mask (H, W) float32, 1 inside and falling outside, and the pixels inside (H, W) bool.
    """
    radius = kernel // 2
    offsets = np.arange(-radius, radius + 1)
    distance = np.hypot(*np.meshgrid(offsets, offsets))
    cone = distance.max() - distance
    average = cv2.filter2D(
        mask.astype(np.float32), -1, (cone / cone.sum()).astype(np.float32), borderType=cv2.BORDER_CONSTANT
    )
    inside = average >= threshold
    outside = average[~inside]
    highest = outside.max() if outside.size else 1.0
    return np.where(inside, np.float32(1), average / max(highest, np.finfo(np.float32).tiny)), inside


def face_mask(labels: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
    """Clean up a segmentation: eroded softly, the largest connected part.

    Args:
        labels: Pixels called face (H, W) bool.
        before: Mask of the frame before, taken where nothing is left.

    Returns:
        Mask (H, W) bool.
    """
    _, inside = soft_erosion(labels, _MASK_KERNEL, _MASK_THRESHOLD)
    count, parts, statistics, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    if count == 1:
        return inside if before is None else before
    return parts == 1 + int(statistics[1:, cv2.CC_STAT_AREA].argmax())


def _expanded(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """One level of a pyramid enlarged to a size; even borders repeat the last sample."""

    def along(rows: np.ndarray, count: int) -> np.ndarray:
        end: Literal["edge", "reflect"] = "edge" if count % 2 == 0 else "reflect"
        padding = [(0, 0)] * (rows.ndim - 1)
        padded = np.pad(np.pad(rows, [(1, 0), *padding], mode="reflect"), [(0, 1), *padding], mode=end)
        even = (padded[:-2] + 6 * padded[1:-1] + padded[2:]) / 8
        odd = (padded[1:-1] + padded[2:]) / 2
        return np.stack([even, odd], axis=1).reshape(-1, *rows.shape[1:])[:count]

    return np.swapaxes(along(np.swapaxes(along(picture, height), 0, 1), width), 0, 1)


def _gaussian_pyramid(picture: np.ndarray) -> list[np.ndarray]:
    levels = [picture]
    for _ in range(LEVELS):
        levels.append(cv2.pyrDown(levels[-1], borderType=cv2.BORDER_REFLECT_101))
    return levels


def _laplacian_pyramid(picture: np.ndarray) -> list[np.ndarray]:
    levels = _gaussian_pyramid(picture)
    return [fine - _expanded(coarse, *fine.shape[:2]) for fine, coarse in pairwise(levels)] + [levels[-1]]


def blended_crop(crop: np.ndarray, face: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Blend a face into its crop, coarse structure over wide and fine structure over narrow borders.

    Args:
        crop: Original crop (H, W, 3) float32 in 0..1.
        face: Drawn face (h, w, 3) float32 in 0..1, resized to the crop where it differs.
        mask: Face pixels (h, w) bool.

    Returns:
        The blend (H, W, 3) float32, not clipped.
    """
    height, width = crop.shape[:2]
    if face.shape != crop.shape:
        face = cv2.resize(face, (width, height), interpolation=cv2.INTER_LANCZOS4)
        mask = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    kernel = int(_BLEND_KERNEL * height)
    _, inside = soft_erosion(mask, kernel + 1 - kernel % 2, _BLEND_THRESHOLD)
    weights = _gaussian_pyramid(np.repeat(inside[..., None].astype(np.float32), 3, axis=2))
    levels = [
        of_face * weight + of_crop * (1 - weight)
        for of_face, of_crop, weight in zip(_laplacian_pyramid(face), _laplacian_pyramid(crop), weights, strict=True)
    ]
    result = levels[-1]
    for level in reversed(levels[:-1]):
        result = _expanded(result, *level.shape[:2]) + level
    return result


def resized_to_box(blend: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """Resize a blended crop to its box in the frame.

    Args:
        blend: The blend (256, 256, 3) float32.
        box: Whole pixels (x0, y0, x1, y1).

    Returns:
        RGB (y1 - y0, x1 - x0, 3) uint8.
    """
    x0, y0, x1, y1 = box
    fitted = cv2.resize(blend, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LANCZOS4)
    return np.rint(np.clip(fitted, 0, 1) * 255).astype(np.uint8)
