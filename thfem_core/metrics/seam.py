"""Does the edit show where it ends? What changed outside the face, and whether the change stops with a step."""

from __future__ import annotations

import cv2
import numpy as np

from ..face.mesh.topology import FACE_OVAL, OUTER_EYE_CORNERS
from .pixel_fidelity import check_same_size

_RINGS = tuple(np.arange(0.85, 1.66, 0.05).tolist())
_ANGLES = 180


def _contour(landmarks: np.ndarray) -> np.ndarray:
    """The face oval as (36, 2) float64 pixels."""
    return landmarks[list(FACE_OVAL), :2].astype(np.float64)


def outside_face_difference(
    source: np.ndarray, output: np.ndarray, landmarks: np.ndarray, *, margin: float = 1.5
) -> float:
    """Mean absolute change of the pixels far from the face; an edit kept to the face leaves only compression noise.

    Args:
        source: Frame before the edit, (H, W, 3) uint8 RGB.
        output: The same frame after it.
        landmarks: Face mesh of the source in pixels, (478, 2) or (478, 3).
        margin: "Far" is outside the face oval scaled by this factor about its centre.

    Returns:
        Gray levels, 0..255; NaN where the face fills the frame.

    Raises:
        InputError: The frames are not uint8 pictures of one size.
    """
    check_same_size(source, output)
    oval = _contour(landmarks)
    oval = oval.mean(axis=0) + margin * (oval - oval.mean(axis=0))
    near = np.zeros(source.shape[:2], np.uint8)
    cv2.fillPoly(near, [np.round(oval - 0.5).astype(np.int32)], 1)
    far = near == 0
    if not far.any():
        return float("nan")
    return float(cv2.absdiff(source, output)[far].mean())


def seam_step(source: np.ndarray, output: np.ndarray, landmarks: np.ndarray) -> float:
    """Strongest step of the change along any line that follows the face's outline.

    The change (output − source, as luma) is averaged along the outline over 6 % of the outer-eye distance, so that
    moved texture cancels and a border does not; then, on rings at 0.85 to 1.65 times the face oval, the values 3 %
    inside and outside the ring are compared. A patch pasted with an offset of d levels and a hard border on a ring
    gives d; a feathered one next to nothing; compression about 1.

    Args:
        source: Frame before the edit, (H, W, 3) uint8 RGB.
        output: The same frame after it.
        landmarks: Face mesh of the source in pixels, (478, 2) or (478, 3).

    Returns:
        Mean absolute step of the ring where it is largest, in gray levels; NaN where no ring lies on the frame.

    Raises:
        InputError: The frames are not uint8 pictures of one size.
    """
    check_same_size(source, output)
    oval = _contour(landmarks)
    centre = oval.mean(axis=0)
    unit = float(np.linalg.norm(landmarks[OUTER_EYE_CORNERS[0], :2] - landmarks[OUTER_EYE_CORNERS[1], :2]))
    change = _luma(output) - _luma(source)
    change = cv2.GaussianBlur(change, (0, 0), max(0.5, 0.01 * unit))
    outline = _resampled(oval - centre, _ANGLES)
    radius = np.linalg.norm(outline, axis=1, keepdims=True)
    direction = outline / radius
    window = max(1, round(0.06 * unit / (2 * np.pi * float(radius.mean()) / _ANGLES)))
    steps = []
    for ring in _RINGS:
        inside, outside = (
            _sample(change, centre + outline * ring + direction * side * 0.03 * unit) for side in (-1.0, 1.0)
        )
        step = inside - outside
        seen = np.isfinite(step)
        if seen.mean() > 0.5:  # a ring that lies mostly off the frame says nothing
            smooth = _circular_mean(np.where(seen, step, 0.0), window)
            steps.append(float(np.abs(smooth[seen]).mean()))
    return max(steps, default=float("nan"))


def _luma(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _resampled(closed: np.ndarray, count: int) -> np.ndarray:
    """``count`` points at equal arc length along a closed polygon (N, 2)."""
    loop = np.vstack([closed, closed[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(loop, axis=0), axis=1))])
    at = np.linspace(0.0, length[-1], count, endpoint=False)
    return np.stack([np.interp(at, length, loop[:, axis]) for axis in (0, 1)], axis=1)


def _sample(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Bilinear values at (N, 2) pixel coordinates (first pixel's centre at 0.5); NaN off the frame."""
    at = (points - 0.5).astype(np.float32)
    values: np.ndarray = cv2.remap(
        image,
        at[:, 0][None],
        at[:, 1][None],
        interpolation=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=float("nan"),
    )
    return values[0]


def _circular_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Running mean over ``window`` neighbours of a closed line."""
    padded = np.pad(values, (window // 2, (window - 1) // 2), mode="wrap")
    return np.convolve(padded, np.ones(window) / window, mode="valid")
