"""Opening media files with libav, and its errors in one line that says what to do."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.error

from ..errors import InputError

MediaSource = str | os.PathLike[str] | io.BytesIO


def source_name(source: MediaSource) -> str:
    """What messages call a source: its file name, or "video in memory"."""
    return "video in memory" if isinstance(source, io.BytesIO) else Path(source).name


def check_file(source: MediaSource) -> None:
    """Raise InputError where ``source`` is not a readable, non-empty file."""
    if isinstance(source, io.BytesIO):
        if not source.getbuffer().nbytes:
            raise InputError("the video in memory is empty; give its complete bytes")
        return
    path = Path(source)
    if not path.exists():
        raise InputError(f"there is no file {path}; check the path")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a media file")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read; check its permissions")
    if not path.stat().st_size:
        raise InputError(f"{path} is empty (0 bytes); copy or export it again")


@contextmanager
def open_media(source: MediaSource) -> Iterator[av.container.InputContainer]:
    """A libav container for reading; several may be open on one source at the same time.

    Raises InputError (no file, folder, empty, unreadable, not a media file, cut off).
    """
    check_file(source)
    # getvalue() of an untouched BytesIO shares its bytes, and a handle of its own keeps passes independent
    handle = io.BytesIO(source.getvalue()) if isinstance(source, io.BytesIO) else str(Path(source))
    try:
        container = av.open(handle, "r", metadata_errors="replace")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise InputError(
            f"{source_name(source)} cannot be opened as a video: it is not a media file, or it is cut off "
            f"({_reason(error)}); convert or copy it again"
        ) from error
    try:
        yield container
    finally:
        container.close()


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error).splitlines()[0]
