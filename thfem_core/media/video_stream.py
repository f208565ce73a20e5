"""The picture track of an open container: which one it is, its rate and its colours."""

from __future__ import annotations

from fractions import Fraction

import av

from ..errors import InputError
from .yuv.colour import FULL_RANGE, ColourTags

# Containers that know where their key frames are; in others a seek may land anywhere, so they are read through.
_INDEXED = {"mp4", "matroska"}
_DEFAULT_RATE = Fraction(25)
_FASTEST_RATE = 1000


def find_video_stream(container: av.container.InputContainer, name: str) -> av.VideoStream:
    """The first moving-picture stream (cover art is none) that can be decoded. Raises InputError."""
    streams = [
        stream for stream in container.streams.video if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not streams:
        sound_only = " (it has only sound)" if container.streams.audio else ""
        raise InputError(f"{name} has no video track{sound_only}; give a file with moving pictures")
    for stream in streams:
        if stream.codec_context is not None:
            return stream
    raise InputError(f"{name} uses a video codec that this installation cannot decode; convert it to H.264")


def can_seek(container: av.container.InputContainer) -> bool:
    """Whether a file knows where its key frames are, so that a seek lands where it should."""
    return bool(_INDEXED & set(container.format.name.split(",")))


def stream_rate(stream: av.VideoStream) -> Fraction:
    """Average frames per second, as the container states or implies it."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= _FASTEST_RATE:
            return Fraction(rate)
    return _DEFAULT_RATE


def stream_time_base(stream: av.VideoStream | av.AudioStream) -> Fraction:
    """Seconds per tick of a stream's time stamps."""
    return Fraction(stream.time_base or Fraction(1, 90_000))


def picture_tags(picture: av.VideoFrame, stream: av.VideoStream) -> ColourTags:
    """Colour tags of a decoded picture; older PyAV knows primaries and transfer only of the stream."""
    context = stream.codec_context
    return ColourTags(
        matrix=int(picture.colorspace),
        range=FULL_RANGE if picture.format.name.startswith("yuvj") else int(picture.color_range),
        primaries=int(getattr(picture, "color_primaries", context.color_primaries)),
        transfer=int(getattr(picture, "color_trc", context.color_trc)),
    )
