"""A still picture as a clip: the same frame, and the same face, for as long as somebody speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from ..face.pose import HeadPose
from ..face.tracking.track import FaceChoice, FaceOrder, FaceSamples, FaceTrack, FaceTracks
from ..media.array_video import ArrayVideo
from ..media.sound import Sound
from ..pose.encoder import HeadPoses


def still_video(picture: np.ndarray, sound: Sound, frame_rate: Fraction, *, name: str = "picture") -> ArrayVideo:
    """``picture`` (H, W, 3), uint8 or float in 0..1, shown as long as ``sound`` lasts; held in memory once."""
    count = max(1, ceil(sound.duration * frame_rate))
    return ArrayVideo(np.broadcast_to(picture, (count, *picture.shape)), frame_rate, name=name, sound=sound)


@dataclass(frozen=True, kw_only=True, eq=False)
class StillTrack:
    """The face of a picture for ``stop_frame`` frames (implements :class:`..face.tracking.track.FaceTrack`).

    face: a track whose frame 0 is the picture.
    """

    face: FaceTrack
    stop_frame: int
    first_frame: int = 0

    @property
    def track_id(self) -> int:
        return self.face.track_id

    def samples(self, start: int, stop: int) -> FaceSamples:
        once, frames = self.face.samples(0, 1), np.arange(start, stop)
        there = (frames >= 0) & (frames < self.stop_frame)
        return FaceSamples(
            first_frame=start,
            landmarks=np.where(there[:, None, None], once.landmarks, np.float32(np.nan)),
            weight=np.where(there, once.weight, np.float32(0)),
            yaw=np.where(there, once.yaw, np.float32(np.nan)),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class StillFaces:
    """Everybody in a picture for ``frame_count`` frames (implements :class:`..face.tracking.track.FaceTracks`).

    faces: the tracks of the picture as a clip of one frame.
    """

    faces: FaceTracks
    frame_count: int
    frame_rate: Fraction
    cuts: Sequence[int] = ()

    @property
    def size(self) -> tuple[int, int]:
        return self.faces.size

    @property
    def tracks(self) -> tuple[StillTrack, ...]:
        return tuple(StillTrack(face=face, stop_frame=self.frame_count) for face in self.faces.tracks)

    def select(self, choice: FaceChoice, *, order: FaceOrder = "left-right") -> tuple[StillTrack, ...]:
        chosen = self.faces.select(choice, order=order)
        return tuple(StillTrack(face=face, stop_frame=self.frame_count) for face in chosen)

    def missing_frames(self, chosen: Sequence[FaceTrack]) -> list[range]:
        seen = any(track.samples(0, 1).weight[0] > 0 for track in chosen)
        return [] if seen else [range(self.frame_count)]


def still_poses(poses: HeadPoses, stop_frame: int) -> HeadPoses:
    """The pose of a picture (frame 0 of ``poses``) for ``stop_frame`` frames; NaN outside them."""

    def read(start: int, stop: int) -> HeadPose:
        rows = [0 if 0 <= frame < stop_frame else 1 for frame in range(start, stop)]
        return poses.read(0, 2).rows(rows)  # frame 1 is not there

    return HeadPoses(track=StillTrack(face=poses.track, stop_frame=stop_frame), read=read)
