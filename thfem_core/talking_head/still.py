"""The faces of a still picture, the same in every frame for as long as somebody speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..face.pose import HeadPose
from ..face.tracking.track import FaceChoice, FaceOrder, FaceSamples, FaceTrack, FaceTracks
from ..pose.encoder import HeadPoses


@dataclass(frozen=True, kw_only=True, eq=False)
class StillTrack:
    """A face of a still picture, the same in every frame (implements :class:`..face.tracking.track.FaceTrack`).

    face: A track whose frame 0 is the picture.
    stop_frame: How many frames the picture is shown for.
    first_frame: Always 0.
    """

    face: FaceTrack
    stop_frame: int
    first_frame: int = 0

    @property
    def track_id(self) -> int:
        """The number of the picture's track."""
        return self.face.track_id

    def samples(self, start: int, stop: int) -> FaceSamples:
        """The face of the picture in frames start..stop−1; weight 0 and NaN outside the clip."""
        once, frames = self.face.samples(0, 1), np.arange(start, stop)
        inside = (frames >= 0) & (frames < self.stop_frame)
        return FaceSamples(
            first_frame=start,
            landmarks=np.where(inside[:, None, None], once.landmarks, np.float32(np.nan)),
            weight=np.where(inside, once.weight, np.float32(0)),
            yaw=np.where(inside, once.yaw, np.float32(np.nan)),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class StillFaces:
    """Everybody in a still picture (implements :class:`..face.tracking.track.FaceTracks`).

    faces: The tracks of the picture as a clip of one frame.
    frame_count: How many frames it is shown for.
    frame_rate: Frames per second.
    cuts: Always none.
    """

    faces: FaceTracks
    frame_count: int
    frame_rate: Fraction
    cuts: Sequence[int] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture, in pixels."""
        return self.faces.size

    @property
    def tracks(self) -> tuple[StillTrack, ...]:
        """One track for every face of the picture."""
        return tuple(StillTrack(face=face, stop_frame=self.frame_count) for face in self.faces.tracks)

    def select(self, choice: FaceChoice, *, order: FaceOrder = "left-right") -> tuple[StillTrack, ...]:
        """Choose faces as :meth:`..face.tracking.track.FaceTracks.select` does."""
        chosen = self.faces.select(choice, order=order)
        return tuple(StillTrack(face=face, stop_frame=self.frame_count) for face in chosen)

    def missing_frames(self, chosen: Sequence[FaceTrack]) -> list[range]:
        """All frames, if no chosen face is clear in the picture; else none."""
        seen = any(track.samples(0, 1).weight[0] > 0 for track in chosen)
        return [] if seen else [range(self.frame_count)]


def still_poses(poses: HeadPoses, stop_frame: int) -> HeadPoses:
    """Show the head pose of a picture in every frame.

    Args:
        poses: Head poses whose frame 0 is the picture.
        stop_frame: How many frames the picture is shown for.

    Returns:
        The same pose for all of them; NaN outside.
    """

    def read(start: int, stop: int) -> HeadPose:
        rows = [0 if 0 <= frame < stop_frame else 1 for frame in range(start, stop)]
        return poses.read(0, 2).rows(rows)  # the picture has no frame 1: its row is NaN

    return HeadPoses(track=StillTrack(face=poses.track, stop_frame=stop_frame), read=read)
