"""Smoothing of landmarks without lag, the head's motion apart from the face's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import correlate1d

from ...errors import InputError
from ..pose import RIGID_POINTS, HeadPose, head_pose, nearest_rotation


@dataclass(frozen=True, kw_only=True, slots=True)
class SmoothingConfig:
    """How landmarks are smoothed, by second-order Savitzky-Golay filters.

    pose_window: Frames over which the head pose is filtered, odd; 1 turns it off.
    shape_window: Frames over which the face's shape is filtered, odd; 1 turns it off.
    noise: What a mesh fit may be off by, in % of the outer-eye distance. Departures from the smoothed path beyond
        about this much are real fast motion (a closure of the lips, a blink) and are kept.
    """

    pose_window: int = 7
    shape_window: int = 5
    noise: float = 1.2

    def __post_init__(self) -> None:
        for name in ("pose_window", "shape_window"):
            value = getattr(self, name)
            if value < 1 or value % 2 == 0:
                raise InputError(f"{name} is {value}; give an odd number of frames such as 5")
        if self.noise < 0:
            raise InputError(f"noise is {self.noise:g}; give 0 or more, in % of the outer-eye distance")

    @property
    def reach(self) -> int:
        """How many frames to either side can influence a smoothed frame (edges of a run included)."""
        return max(self.pose_window, self.shape_window)


def savitzky_golay(values: np.ndarray, window: int, order: int = 2) -> np.ndarray:
    """Fit a polynomial around each sample and take its value there.

    Exact on polynomials up to ``order``; the ends come from the polynomial through the nearest whole window.
    Source: Savitzky and Golay, Anal. Chem. 1964. The same as :func:`scipy.signal.savgol_filter`, whose package takes
    half a second to import.

    Args:
        values: (T, ...), filtered along the first axis.
        window: Samples per fit, odd; shortened where there are fewer.
        order: Degree of the polynomial.

    Returns:
        (T, ...) float64; each value depends on its window alone, however long the run.
    """
    values = np.asarray(values, np.float64)
    window = min(window, len(values) - 1 + len(values) % 2)
    if window <= order + 1:
        return values.copy()
    half = window // 2
    powers = np.vander(np.arange(window) - half, order + 1)
    fit = powers @ np.linalg.pinv(powers)  # a window's samples → those of the polynomial through them
    filtered: np.ndarray = correlate1d(values, fit[half], axis=0)
    filtered[:half] = np.tensordot(fit[:half], values[:window], axes=1)
    filtered[-half:] = np.tensordot(fit[-half:], values[-window:], axes=1)
    return filtered


def fill_gaps(values: np.ndarray) -> np.ndarray:
    """Interpolate missing frames linearly in time.

    Args:
        values: (T, P, C), NaN in missing frames; the first and last frame must be present.

    Returns:
        (T, P, C) without NaN.
    """
    present = np.flatnonzero(~np.isnan(values[:, 0, 0]))
    if len(present) == len(values):
        return values
    frames = np.arange(len(values))
    after = present[np.searchsorted(present, frames)]
    before = present[np.searchsorted(present, frames, side="right") - 1]
    share = (frames - before) / np.maximum(after - before, 1)
    return values[before] + share[:, None, None].astype(values.dtype) * (values[after] - values[before])


def smooth_landmarks(landmarks: np.ndarray, canonical: np.ndarray, config: SmoothingConfig) -> np.ndarray:
    """Take the network's jitter out of landmarks, without lag.

    The rigid pose and the shape in the head's own frame are filtered apart, since heads move slowly and lips do not.
    Each point then gets back the part of its departure from the fit that is too large to be jitter.

    Args:
        landmarks: (T, 478, 3) in pixels, finite.
        canonical: (478, 3), see :mod:`..mesh.canonical`.
        config: Windows and noise.

    Returns:
        (T, 478, 3) float32 in pixels.
    """
    landmarks = np.asarray(landmarks, np.float64)
    pose = head_pose(landmarks, canonical)
    # About the middle of the rigid points: there an error of the rotation moves least, and no jaw motion leaks in.
    centre = landmarks[:, RIGID_POINTS].mean(axis=1)
    raw = HeadPose(scale=pose.scale, rotation=pose.rotation, translation=centre)
    shape = savitzky_golay(raw.to_canonical(landmarks), config.shape_window)
    smooth = HeadPose(
        scale=np.exp(savitzky_golay(np.log(pose.scale), config.pose_window)),
        rotation=nearest_rotation(savitzky_golay(pose.rotation, config.pose_window)),
        translation=savitzky_golay(centre, config.pose_window),
    ).to_image(shape)
    departure = landmarks - smooth
    energy = departure[..., 0] ** 2 + departure[..., 1] ** 2
    noise = (config.noise * pose.scale[:, None]) ** 2
    kept = np.clip(1.0 - noise / np.maximum(energy, 1e-12), 0.0, 1.0)
    return (smooth + kept[..., None] * departure).astype(np.float32)
