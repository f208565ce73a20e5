"""Any path a user may give as a clip: a video file, one image, or a folder of images."""

from __future__ import annotations

import io
import os
from fractions import Fraction
from pathlib import Path

from ..errors import InputError
from .array_video import ImageFolderVideo
from .file_video import FileVideo
from .picture_file import is_still
from .source import MediaSource, check_clip
from .video import Video


def open_video(
    source: MediaSource,
    *,
    start: Fraction = Fraction(0),
    duration: Fraction | None = None,
    frame_rate: Fraction = Fraction(25),
) -> Video:
    """A clip from a video file (or its bytes), a still image (one frame), or a folder of images.

    start, duration: the part of a video file to use, in seconds. frame_rate: of images only.
    Raises InputError, in one line, for anything that is none of these.
    """
    check_clip(source)
    if not isinstance(source, io.BytesIO):
        path = Path(source)
        if os.path.isdir(path) or is_still(path):
            if start or duration is not None:
                raise InputError(f"{path.name} holds images, which have no time of their own; leave start and duration")
            return ImageFolderVideo(path, frame_rate)
    return FileVideo(source, start=start, duration=duration)
