"""Reading the keypoints of a face out of a clip."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing

import numpy as np

from ...face.tracking.track import FaceTrack
from ...media.video import Video
from .crop import CropPath, crop_picture
from .drawing import FaceDrawer
from .keypoints import FaceMotion, stack_motions

_AT_ONCE = 16  # frames that are read together


def read_faces(video: Video, track: FaceTrack, drawer: FaceDrawer, frames: Collection[int]) -> FaceMotion:
    """Read one person in some frames of a clip.

    Args:
        video: The clip, read up to the last of the frames.
        track: The person in it.
        drawer: Reads keypoints.
        frames: Numbers of frames; at least one shows the person.

    Returns:
        Those of the frames that show the person, in order, on the CPU.
    """
    crops, wanted, last = CropPath(track, frame_rate=video.info.frame_rate), set(frames), max(frames)
    motions: list[FaceMotion] = []
    waiting: list[np.ndarray] = []
    with closing(video.frames()) as stream:
        for frame in stream:
            if frame.index in wanted and (picture := crop_picture(frame, crops, drawer.side)) is not None:
                waiting.append(picture)
            if len(waiting) == _AT_ONCE:
                motions.append(drawer.read(waiting))
                waiting = []
            if frame.index >= last:
                break
    if waiting:
        motions.append(drawer.read(waiting))
    return stack_motions(motions)
