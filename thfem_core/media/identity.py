"""Telling whether two clips are the same, so that what was found in one need not be searched in the other."""

from __future__ import annotations

import hashlib
import io
import os
import weakref
from collections.abc import Hashable

from .array_video import ArrayVideo
from .file_video import FileVideo
from .video import Video


class _SameObject:
    """Equal for one and the same object, as long as it lives; does not keep it alive."""

    def __init__(self, found: object) -> None:
        self._found, self._hash = weakref.ref(found), hash((type(found), id(found)))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameObject) and self._found() is not None and self._found() is other._found()


def clip_identity(video: Video) -> Hashable | None:
    """Tell what a clip is.

    Args:
        video: The clip.

    Returns:
        A key that is equal for clips that show the same pictures at the same times: a file and the part of it, until
        it is written again; or a batch of images, until it is freed or, where PyTorch counts that, changed in place.
        None for other clips.
    """
    if type(video) is FileVideo:
        media, part = video.source.media, (video.source.start, video.source.stop)
        if isinstance(media, io.BytesIO):
            return (hashlib.blake2b(media.getbuffer()).digest(), part)
        state = os.stat(media)
        return (os.path.realpath(media), state.st_mtime_ns, state.st_size, part)
    if type(video) is ArrayVideo:
        return (_SameObject(video.images), _version(video.images), video.info.frame_rate)
    return None


def _version(images: object) -> int:
    """How often a tensor was changed in place; 0 where nobody counts, as for arrays and in inference mode."""
    try:
        return int(getattr(images, "_version", 0))
    except RuntimeError:
        return 0
