"""Opening media files with libav, and its errors in one line that says what to do."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import av.error

from ..errors import InputError

MediaSource = str | os.PathLike[str] | io.BytesIO

# How names of clips end, where a folder is searched for them.
CLIP_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv"),
    *(".3gp", ".ogv", ".mxf", ".gif"),
)
# Only formats that hold sound and pictures themselves. Playlists and scripts (hls, dash, concat, image2, sdp ...) make
# libav open whatever file or address they name, so a file from elsewhere could read any other one.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,mxf,nut,dv,gxf,wtv,ivf,obu,av1,"
    "h261,h263,h264,hevc,vvc,m4v,vc1,dirac,dnxhd,mjpeg,rm,nsv,r3d,yuv4mpegpipe,swf,roq,flic,gif,apng,"
    "wav,w64,mp3,aac,flac,aiff,caf,au,ac3,eac3,amr,amrnb,amrwb,ape,wv,tta,tak,dts,dtshd,truehd,mpc,mpc8,voc,gsm,"
    "png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe,j2k_pipe,jpegxl_pipe,qoi_pipe"
)
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"<?xml", b"v=0\r\n", b"v=0\n")
# Metadata that is not UTF-8 must not be an error; from version 19 on it never is to PyAV.
TOLERANT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}


def source_name(source: MediaSource) -> str:
    """What messages call a source: its file name, or "video in memory"."""
    return "video in memory" if isinstance(source, io.BytesIO) else Path(source).name


def file_url(path: str | os.PathLike[str]) -> str:
    """The path in a form that libav takes for a file whatever it is called, such as ``12:30 talk.mp4``."""
    return f"file:{os.fspath(path)}"


def check_file(source: MediaSource) -> None:
    """Check that a source can be read more than once.

    Args:
        source: path or bytes of a file.

    Raises:
        InputError: it is missing, a folder or a pipe, not readable, or empty.
    """
    if isinstance(source, io.BytesIO):
        if not source.getbuffer().nbytes:
            raise InputError("the video in memory is empty; give its complete bytes")
        return
    path = os.fspath(source)
    if not path:
        raise InputError("the file name is empty; give the path of a media file")
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"there is no file {path}; check the path") from None
    except (OSError, ValueError) as error:  # no access to a folder, a name that is too long, a NUL byte
        raise InputError(f"{path!r} cannot be opened ({_reason(error)}); check the path") from error
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{path} is a folder; give a media file")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path} is a pipe or device, which can be read only once; save it to a file first")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read; check its permissions")
    if not status.st_size:
        raise InputError(f"{path} is empty (0 bytes); copy or export it again")


def check_clip(source: MediaSource) -> None:
    """Check that a source is there and can be read: a file, its bytes, or a folder (of images).

    Args:
        source: path or bytes of a file, or path of a folder.

    Raises:
        InputError: it is missing, a pipe, not readable, or empty.
    """
    if isinstance(source, io.BytesIO) or not os.fspath(source) or not os.path.isdir(source):
        check_file(source)


@contextmanager
def open_media(source: MediaSource) -> Iterator[av.container.InputContainer]:
    """Open a media file for reading; several may be open on one source at the same time.

    Args:
        source: path or bytes of a file.

    Yields:
        libav's container.

    Raises:
        InputError: there is no such file, or it is empty, unreadable, cut off, or no media file.
    """
    check_file(source)
    # getvalue() of an untouched BytesIO shares its bytes, and a handle of its own keeps passes independent
    handle = io.BytesIO(source.getvalue()) if isinstance(source, io.BytesIO) else file_url(source)
    try:
        container = av.open(handle, "r", options=dict(_OPTIONS), **TOLERANT)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if _is_playlist(source):
            raise InputError(
                f"{source_name(source)} is a playlist, which only names other files; give the media file itself"
            ) from error
        raise InputError(
            f"{source_name(source)} cannot be opened as a video or sound: it is not a media file, or it is cut off "
            f"({_reason(error)}); convert or copy it again"
        ) from error
    try:
        yield container
    finally:
        container.close()


def _is_playlist(source: MediaSource) -> bool:
    if isinstance(source, io.BytesIO):
        head = source.getvalue()[:64]
    else:
        try:
            with open(source, "rb") as file:
                head = file.read(64)
        except OSError:
            return False
    return head.lstrip(b"\xef\xbb\xbf \r\n").startswith(_PLAYLISTS)


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error).splitlines()[0]
