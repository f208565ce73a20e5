"""How strongly an edit may act on a face in each frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from .smoothstep import smoothstep


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightConfig:
    """Which views of a face are edited, and how edits come and go.

    yaw_full: Degrees of head yaw up to which an edit acts fully.
    yaw_none: Degrees from which on it does not act at all.
    inside_full: Share of the face inside the frame from which on an edit acts fully.
    inside_none: Share up to which it does not act at all.
    fade: Seconds over which an edit comes or goes when a person appears or disappears inside a shot.
    """

    yaw_full: float = 35.0
    yaw_none: float = 60.0
    inside_full: float = 0.85
    inside_none: float = 0.5
    fade: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.yaw_full < self.yaw_none <= 90:
            raise InputError(
                f"yaw_full {self.yaw_full:g} and yaw_none {self.yaw_none:g} must rise between 0 and 90 degrees"
            )
        if not 0 <= self.inside_none < self.inside_full <= 1:
            raise InputError(
                f"inside_none {self.inside_none:g} and inside_full {self.inside_full:g} must rise between 0 and 1"
            )
        if self.fade < 0:
            raise InputError(f"fade is {self.fade:g} s; give 0 or more")


def edit_weight(landmarks: np.ndarray, yaw: np.ndarray, size: tuple[int, int], config: WeightConfig) -> np.ndarray:
    """Say how strongly an edit may act in each frame, from how well the face is seen.

    Args:
        landmarks: (T, 478, 3) in pixels.
        yaw: (T,) degrees, 0 frontal.
        size: Width and height of the frame, pixels.
        config: Limits.

    Returns:
        (T,) float32, 0..1.
    """
    xy = landmarks[..., :2]
    inside = ((xy >= 0) & (xy <= np.asarray(size))).all(axis=-1).mean(axis=1)
    frontal = smoothstep(np.abs(yaw), config.yaw_none, config.yaw_full)
    return (frontal * smoothstep(inside, config.inside_none, config.inside_full)).astype(np.float32)


def edge_fade(frames: np.ndarray, first: int, stop: int, length: int, *, fades_in: bool, fades_out: bool) -> np.ndarray:
    """Let an edit come and go smoothly.

    Args:
        frames: (T,) frame numbers inside an appearance.
        first: First frame of the appearance.
        stop: One past its last frame.
        length: Frames over which it fades.
        fades_in: Whether it fades at its beginning.
        fades_out: Whether it fades at its end.

    Returns:
        (T,) factors, 0..1.
    """
    fade = np.ones(len(frames))
    if fades_in:
        fade *= smoothstep(frames - first + 1, 0, length + 1)
    if fades_out:
        fade *= smoothstep(stop - frames, 0, length + 1)
    return fade
