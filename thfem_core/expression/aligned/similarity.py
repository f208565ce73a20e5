"""NED's alignment of face crops to a template of 68 landmarks, and back."""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 256  # pixels of a face crop, and of the aligned face

# The 68 points of the iBUG layout among the 478 of the face mesh: jaw, brows, nose, eyes, mouth.
# fmt: off
MESH_68 = (
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301,
    168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
)
# Where those points lie on NED's template (MIT), in pixels of the aligned face.
TEMPLATE_68 = np.array((
    (57, 113), (60, 133), (62, 149), (67, 166), (72, 182), (83, 197), (93, 204), (105, 215), (128, 220),
    (148, 215), (159, 204), (169, 197), (176, 182), (181, 164), (184, 146), (186, 131), (186, 111), (70, 93),
    (77, 85), (88, 85), (98, 85), (108, 88), (143, 88), (153, 85), (164, 85), (174, 85), (179, 93),
    (126, 111), (126, 126), (126, 138), (126, 149), (115, 154), (121, 156), (128, 159), (133, 156), (138, 154),
    (83, 111), (90, 106), (98, 106), (108, 111), (100, 113), (90, 113), (143, 111), (153, 106), (161, 106),
    (166, 108), (161, 113), (151, 113), (100, 174), (110, 171), (123, 169), (128, 169), (133, 169), (146, 169),
    (153, 174), (146, 179), (136, 184), (128, 184), (121, 184), (110, 182), (100, 174), (121, 174), (128, 174),
    (136, 174), (151, 174), (136, 176), (128, 176), (121, 176),
), np.float64)
# fmt: on
PUPILS = (468, 473)  # of the eye on the image's left and right


def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Fit the rotation, scale and translation that carry points onto others best (Umeyama, PAMI 1991).

    Args:
        points: Points (N, 2).
        target: Where they should go (N, 2).

    Returns:
        Affine map (2, 3) from points to target, without reflection.
    """
    centred, aimed = points - points.mean(axis=0), target - target.mean(axis=0)
    u, spread, vt = np.linalg.svd(aimed.T @ centred / len(points))
    signs = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * signs) @ vt
    scale = spread @ signs / np.square(centred).sum(axis=1).mean()
    linear = scale * rotation
    return np.column_stack([linear, target.mean(axis=0) - linear @ points.mean(axis=0)])


def transformed(points: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Apply an affine map (2, 3) to points (N, 2)."""
    return points @ affine[:, :2].T + affine[:, 2]


def aligned_face(face: np.ndarray, mask: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bring a masked face crop and its mask into the template's place.

    Args:
        face: Face crop (256, 256, 3) uint8.
        mask: Face pixels of the crop (256, 256) bool.
        affine: Map from the crop to the template (2, 3), see :func:`similarity`.

    Returns:
        The aligned face (256, 256, 3) uint8, 0 outside the mask, and the aligned mask (256, 256) bool.
    """
    moved_mask = warped_mask(mask, affine)
    moved = warped(face * mask[..., None].astype(np.uint8), affine)
    return moved * moved_mask[..., None].astype(np.uint8), moved_mask


def warped(picture: np.ndarray, affine: np.ndarray, *, backwards: bool = False) -> np.ndarray:
    """Warp a picture of 256 × 256 by an affine map with Lanczos-4 taps, zeros outside.

    Args:
        picture: Picture (256, 256, 3) uint8.
        affine: Map (2, 3).
        backwards: Whether the map says where each output pixel comes from, instead of where pixels go.

    Returns:
        The warped picture, of the same shape.
    """
    flags = cv2.INTER_LANCZOS4 | (cv2.WARP_INVERSE_MAP if backwards else 0)
    return cv2.warpAffine(picture, affine, (SIDE, SIDE), flags=flags)


def warped_mask(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Warp a mask (256, 256) bool by an affine map, nearest pixel."""
    return cv2.warpAffine(mask.astype(np.uint8), affine, (SIDE, SIDE), flags=cv2.INTER_NEAREST) > 0


def unaligned_face(face: np.ndarray, mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Bring an aligned face back into its crop.

    Args:
        face: Aligned face (256, 256, 3) uint8.
        mask: Face pixels of the crop, not aligned (256, 256) bool.
        affine: The map that aligned it.

    Returns:
        The face in its crop (256, 256, 3) uint8, 0 outside the mask.
    """
    return warped(face, affine, backwards=True) * mask[..., None].astype(np.uint8)
