"""Smoothing of landmarks without lag, the head's motion apart from the face's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from ..pose import RIGID_POINTS, HeadPose, head_pose, nearest_rotation


@dataclass(frozen=True, kw_only=True, slots=True)
class SmoothingConfig:
    """pose_window, shape_window: odd numbers of frames of the two second-order filters; 1 turns one off.

    noise: what a mesh fit may be off by, in % of the outer-eye distance. Departures from the smoothed path beyond
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
    """Local polynomial regression along the first axis of ``values`` (T, …); float64 of the same shape.

    Exact on polynomials up to ``order``; the first and last ``window // 2`` samples come from the polynomial through
    the nearest whole window; runs shorter than the window are fitted as one. Savitzky & Golay, Anal. Chem. 1964.
    """
    values = np.asarray(values, np.float64)
    window = min(window, len(values))
    if window <= order + 1:
        return values.copy()
    half = window // 2
    offsets = np.arange(window) - half
    fit = np.linalg.pinv(np.vander(offsets, order + 1, increasing=True))

    def weights(offset: int) -> np.ndarray:
        return offset ** np.arange(order + 1) @ fit

    out = np.empty_like(values)
    inner = len(values) - window + 1
    # Sums of shifted slices, not a matrix product: each frame is then computed alike wherever its block begins.
    out[half : half + inner] = sum(w * values[i : i + inner] for i, w in enumerate(weights(0)))
    for offset in range(-half, 0):
        out[half + offset] = sum(w * v for w, v in zip(weights(offset), values[:window], strict=True))
    for offset in range(1, window - half):
        out[offset - window + half] = sum(w * v for w, v in zip(weights(offset), values[-window:], strict=True))
    return out


def fill_gaps(values: np.ndarray) -> np.ndarray:
    """``values`` (T, P, C) with frames of NaN replaced by linear interpolation in time between their neighbours.

    The first and last frame must be present.
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
    """A run of landmarks (T, 478, 3), all present, without the networks' jitter; float32, same unit.

    The rigid pose and the shape in the head's own frame are filtered apart, since heads move slowly and lips do not.
    Each point then gives back the part of its departure from the raw fit that is too large to be jitter.
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
    energy = (departure[..., :2] ** 2).sum(axis=-1)
    noise = (config.noise * pose.scale[:, None]) ** 2
    kept = np.clip(1.0 - noise / np.maximum(energy, 1e-12), 0.0, 1.0)
    return (smooth + kept[..., None] * departure).astype(np.float32)
