"""How near is a picture to the true one? PSNR and SSIM, for clips whose ground truth exists."""

from __future__ import annotations

import cv2
import numpy as np

from ..errors import InputError

PEAK = 255.0
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2


def check_same_size(a: np.ndarray, b: np.ndarray) -> None:
    """Check that two pictures compare pixel by pixel.

    Raises:
        InputError: They are not uint8 pictures of one size.
    """
    if a.shape != b.shape or a.dtype != np.uint8 or b.dtype != np.uint8:
        raise InputError(
            f"frames of {a.shape} {a.dtype} and {b.shape} {b.dtype} cannot be compared; give uint8 pictures of one size"
        )


def psnr(truth: np.ndarray, picture: np.ndarray) -> float:
    """Peak signal-to-noise ratio.

    Args:
        truth: True picture, (H, W, 3) uint8.
        picture: Picture of the same size.

    Returns:
        dB; infinite where the pictures are equal.

    Raises:
        InputError: They are not uint8 pictures of one size.
    """
    check_same_size(truth, picture)
    error = np.square(truth.astype(np.float64) - picture).mean()
    return float(10.0 * np.log10(PEAK**2 / error)) if error > 0 else float("inf")


def ssim(truth: np.ndarray, picture: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004) with the usual settings: Gaussian window of 11 pixels and σ = 1.5,
    K = 0.01 and 0.03, borders left out.

    Args:
        truth: True picture, (H, W, 3) uint8, at least 11 × 11.
        picture: Picture of the same size.

    Returns:
        Mean over places and channels; 1 where the pictures are equal.

    Raises:
        InputError: They are not uint8 pictures of one size, or too small.
    """
    check_same_size(truth, picture)
    if min(truth.shape[:2]) < _WINDOW:
        raise InputError(f"SSIM needs pictures of at least {_WINDOW} × {_WINDOW} pixels, not {truth.shape[1::-1]}")
    a, b = truth.astype(np.float64), picture.astype(np.float64)

    def local_mean(x: np.ndarray) -> np.ndarray:
        margin = _WINDOW // 2
        return cv2.GaussianBlur(x, (_WINDOW, _WINDOW), _SIGMA)[margin:-margin, margin:-margin]

    mean_a, mean_b = local_mean(a), local_mean(b)
    var_a, var_b = local_mean(a * a) - mean_a**2, local_mean(b * b) - mean_b**2
    covariance = local_mean(a * b) - mean_a * mean_b
    numerator = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    return float((numerator / ((mean_a**2 + mean_b**2 + _C1) * (var_a + var_b + _C2))).mean())
