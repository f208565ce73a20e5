"""A still picture as a clip: the same frame, and the same face, for as long as somebody speaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil

import numpy as np
import torch

from ..errors import InputError
from ..face.tracking.track import FaceTracks
from ..media.array_video import ArrayVideo
from ..media.open_video import open_video
from ..media.sound import Sound
from ..media.sound_file import read_sound
from ..media.source import MediaSource, source_name
from ..media.video import Video
from ..pose.encoder import HeadPoses
from ..talking_head.still import StillFaces, still_poses


class StillVideo(ArrayVideo):
    """One picture, shown for as long as a sound lasts; held in memory once."""

    def __init__(
        self, picture: np.ndarray | torch.Tensor, sound: Sound, frame_rate: Fraction, *, name: str = "picture"
    ) -> None:
        """Show a picture.

        Args:
            picture: RGB (H, W, 3), uint8 or float in 0..1.
            sound: What is heard.
            frame_rate: Frames per second.
            name: What messages call it.
        """
        pixels = picture.detach().cpu().numpy() if isinstance(picture, torch.Tensor) else picture
        self.count = max(1, ceil(sound.duration * frame_rate))
        self.picture = ArrayVideo(pixels[None], frame_rate, name=name)
        super().__init__(np.broadcast_to(pixels, (self.count, *pixels.shape)), frame_rate, name=name, sound=sound)

    def stretch_faces(self, tracks: FaceTracks) -> FaceTracks:
        """Show the faces of the picture, tracked as a clip of one frame, in every frame."""
        return StillFaces(faces=tracks, frame_count=self.count, frame_rate=self.info.frame_rate)

    def stretch_poses(self, poses: Sequence[HeadPoses]) -> tuple[HeadPoses, ...]:
        """Show the head poses of the picture, as a clip of one frame, in every frame."""
        return tuple(still_poses(each, self.count) for each in poses)


def read_speech(source: MediaSource, *, warn: Callable[[str], None]) -> Sound:
    """Read what somebody shall speak.

    Args:
        source: A sound or video file.
        warn: Hears one line about each damage that could be mended.

    Returns:
        Its sound.

    Raises:
        InputError: There is no sound that can be read.
    """
    sound = read_sound(source, warn=warn)
    if sound is None or not sound.samples.shape[1]:
        raise InputError(f"{source_name(source)} has no sound that can be read; give a file with speech")
    return sound


def open_speaker(source: MediaSource, sound: Sound, *, frame_rate: Fraction = Fraction(25)) -> Video:
    """Open a portrait, or a clip, of somebody who shall speak.

    Args:
        source: A picture, or a clip in any form that :func:`..media.open_video.open_video` reads.
        sound: What is spoken.
        frame_rate: Frames per second of the video made from pictures.

    Returns:
        A still video as long as the sound, or the clip.

    Raises:
        InputError: The source cannot be read.
    """
    video = open_video(source, frame_rate=frame_rate)
    if video.info.is_still:
        picture = next(video.frames()).rgb()
        height, width = (side - side % 2 for side in picture.shape[:2])  # odd sizes do not play everywhere
        return StillVideo(picture[:height, :width], sound, frame_rate, name=video.info.name)
    return video
