"""A still picture as a clip: the same frame for as long as somebody speaks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from ..face.track import FaceSamples, FaceTrack
from ..media.array_video import ArrayVideo
from ..media.sound import Sound


def still_video(picture: np.ndarray, sound: Sound, frame_rate: Fraction, *, name: str = "picture") -> ArrayVideo:
    """``picture`` (H, W, 3), uint8 or float in 0..1, shown as long as ``sound`` lasts; held in memory once."""
    count = max(1, ceil(sound.duration * frame_rate))
    return ArrayVideo(np.broadcast_to(picture, (count, *picture.shape)), frame_rate, name=name, sound=sound)


@dataclass(frozen=True, kw_only=True)
class StillTrack:
    """The face of a picture for ``frame_count`` frames (implements :class:`..face.track.FaceTrack`).

    face: a track whose frame 0 is the picture.
    """

    face: FaceTrack
    frame_count: int
    first_frame: int = 0

    @property
    def track_id(self) -> int:
        return self.face.track_id

    @property
    def stop_frame(self) -> int:
        return self.frame_count

    def samples(self, start: int, stop: int) -> FaceSamples:
        frames = np.arange(start, stop)
        inside = (frames >= 0) & (frames < self.frame_count)
        once = self.face.samples(0, 1)
        landmarks = np.where(inside[:, None, None], once.landmarks, np.float32(np.nan))
        weight = np.where(inside, once.weight, np.float32(0))
        yaw = np.where(inside, once.yaw, np.float32(np.nan))
        return FaceSamples(first_frame=start, landmarks=landmarks, weight=weight, yaw=yaw)
