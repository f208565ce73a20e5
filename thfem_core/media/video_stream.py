"""Decoding the video stream of an open container: upright planar pictures with exact times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import av.error

from ..errors import InputError
from .yuv.colour import FULL_RANGE, ColourTags
from .yuv.pixel_format import PixelLayout
from .yuv.planar_frame import to_planar
from .yuv.upright import Orientation, picture_orientation, turn_upright

_DEFAULT_RATE = Fraction(25)
_FASTEST_RATE = 1000
# Containers that know where their key frames are; in others a seek may land anywhere, so they are read through.
_INDEXED = {"mp4", "matroska"}


@dataclass(frozen=True, kw_only=True, slots=True)
class TrimWindow:
    """Frames with ``start <= time stamp < start + duration``, in seconds of the container's clock.

    Start 0 means from the first frame, even if its time stamp is negative; duration None means to the end.
    """

    start: Fraction = Fraction(0)
    duration: Fraction | None = None

    def __post_init__(self) -> None:
        if self.start < 0:
            raise InputError(f"the start is {float(self.start):g} s; give 0 or more")
        if self.duration is not None and self.duration <= 0:
            raise InputError(
                f"the duration is {float(self.duration):g} s; give more than 0, or none for the whole clip"
            )

    @property
    def whole(self) -> bool:
        return not self.start and self.duration is None

    @property
    def stop(self) -> Fraction | None:
        """The end of the window in seconds of the container's clock; None = open end."""
        return None if self.duration is None else self.start + self.duration

    def ticks(self, time_base: Fraction) -> tuple[int | None, int | None]:
        """First tick inside and first tick after the window (None = open end)."""
        start = int(self.start / time_base) if self.start else None
        stop = None if self.stop is None else int(self.stop / time_base)
        return start, stop


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


@dataclass(frozen=True, kw_only=True, slots=True)
class DecodedPicture:
    """ticks: presentation time in units of the stream's time base, strictly rising."""

    ticks: int
    picture: av.VideoFrame
    layout: PixelLayout
    tags: ColourTags


def _decoder(stream: av.VideoStream) -> av.VideoCodecContext:
    """The stream's decoder, or libvpx where VP8/VP9 carries transparency, which libav's own decoders ignore."""
    name = stream.codec_context.name
    if stream.metadata.get("alpha_mode") == "1" and name in ("vp8", "vp9"):
        try:
            return av.CodecContext.create("libvpx" if name == "vp8" else "libvpx-vp9", "r")
        except (av.error.FFmpegError, ValueError):
            return stream.codec_context
    return stream.codec_context


def _raw_pictures(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    """Everything that decodes; damaged packets are skipped, and a cut-off file ends where it ends."""
    decoder = _decoder(stream)
    if not decoder.is_open:
        decoder.thread_type = "AUTO"
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            break
        try:
            yield from decoder.decode(packet if packet.size else None)
        except av.error.FFmpegError:
            continue
    try:
        yield from decoder.decode(None)
    except av.error.FFmpegError:  # EOFError where the last packet flushed the decoder already
        return


def _pictures_from(
    container: av.container.InputContainer, stream: av.VideoStream, start: int | None
) -> Iterator[av.VideoFrame]:
    """Everything from a key frame at or before ``start``; from the beginning where seeking overshoots or fails."""
    if start is None or not _INDEXED & set(container.format.name.split(",")):
        yield from _raw_pictures(container, stream)
        return
    try:
        container.seek(start, stream=stream)
        pictures = _raw_pictures(container, stream)
        first = next(pictures, None)
        if first is not None and first.pts is not None and first.pts <= start:
            yield first
            yield from pictures
            return
    except av.error.FFmpegError:
        pass  # this kind of file cannot be searched
    container.seek(0)
    yield from _raw_pictures(container, stream)


def decode_pictures(
    container: av.container.InputContainer, stream: av.VideoStream, window: TrimWindow
) -> Iterator[DecodedPicture]:
    """Upright planar pictures inside ``window``, all of the first one's size and format."""
    time_base = stream_time_base(stream)
    start, stop = window.ticks(time_base)
    step = max(1, round(1 / (stream_rate(stream) * time_base)))
    last: int | None = None
    shape: tuple[int, int, str] | None = None
    orientation: Orientation | None = None
    for picture in _pictures_from(container, stream, start):
        ticks = picture.pts
        if ticks is None:
            ticks = 0 if last is None else last + step
        if last is not None and ticks <= last:
            ticks = last + 1
        last = ticks
        if start is not None and ticks < start:
            continue
        if stop is not None and ticks >= stop:
            return
        if shape is None:
            shape = (picture.width, picture.height, picture.format.name)
            orientation = picture_orientation(picture)
        elif (picture.width, picture.height, picture.format.name) != shape:
            picture = picture.reformat(*shape)
        tags = picture_tags(picture, stream)
        planar, layout = to_planar(picture)
        upright, layout = turn_upright(planar, layout, tags, orientation or (0, False))
        yield DecodedPicture(ticks=ticks, picture=upright, layout=layout, tags=tags)
