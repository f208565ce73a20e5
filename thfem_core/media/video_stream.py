"""Decoding the video stream of an open container: upright planar pictures with exact times."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from heapq import heapify, heappop, heappush
from itertools import chain, islice

import av
import av.error

from ..errors import InputError
from .demux import Losses, read_packets
from .source import MediaSource, open_media, source_name
from .yuv.colour import FULL_RANGE, ColourTags
from .yuv.pixel_format import PixelLayout
from .yuv.planar_frame import to_planar
from .yuv.upright import UPRIGHT, Orientation, picture_orientation, turn_upright

_DEFAULT_RATE = Fraction(25)
_FASTEST_RATE = 1000
# Containers that know where their key frames are; in others a seek may land anywhere, so they are read through.
_INDEXED = {"mp4", "matroska"}
# So many pictures at most are decoded at once, reordered ones included.
_AT_ONCE = 48
# Decoders that hide some damage without a word; they need one thread, which is fast enough for them.
_CONCEALING = {"mpeg1video", "mpeg2video", "mpegvideo"}
# Containers that store no presentation times, or whose times are made up.
_NO_PRESENTATION_TIMES = {"avi", "h264", "hevc", "m4v", "mpegvideo", "vc1", "cavsvideo"}


@dataclass(frozen=True, kw_only=True, slots=True)
class TrimWindow:
    """Frames with ``start <= time stamp < start + duration``, in seconds of the container's clock.

    Start 0 means from the first frame, even if its time stamp is negative. Where the first frame of the file is later
    than ``start``, the duration counts from that frame. Duration None means to the end.
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

    def stop(self, first: Fraction) -> Fraction | None:
        """When the window ends.

        Args:
            first: time stamp of the first picture that was decoded, in seconds of the container's clock.

        Returns:
            The first moment after the window, in seconds of the container's clock; None = open end.
        """
        if self.duration is None:
            return None
        return (max(self.start, first) if self.start else first) + self.duration


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


@dataclass(frozen=True, kw_only=True, slots=True)
class DecodedPicture:
    """A picture and what is known of it."""

    ticks: int
    """Presentation time in units of the stream's time base, strictly rising."""
    stop: Fraction | None
    """End of the window that it is from, in seconds of the container's clock; None = open end."""
    raw: av.VideoFrame
    """As the decoder gave it."""
    picture: av.VideoFrame
    """Planar and upright."""
    layout: PixelLayout
    tags: ColourTags


class _Damaged(Exception):
    """Something does not decode; threads that work on several frames at once lose its neighbours too."""


def _decoder(stream: av.VideoStream) -> av.VideoCodecContext:
    """The stream's decoder, or libvpx where VP8/VP9 carries transparency, which libav's own decoders ignore."""
    name = stream.codec_context.name
    if stream.metadata.get("alpha_mode") == "1" and name in ("vp8", "vp9"):
        try:
            return av.CodecContext.create("libvpx" if name == "vp8" else "libvpx-vp9", "r")
        except (av.error.FFmpegError, ValueError):
            return stream.codec_context
    return stream.codec_context


class _PictureTimes:
    """Presentation times of decoded pictures, in ticks and strictly rising.

    Some containers store only the order in which packets are decoded. Theirs are shown in the order they come out of
    the decoder, each at the earliest time stamp not used yet.
    """

    def __init__(self, container: av.container.InputContainer, step: int) -> None:
        names = set(container.format.name.split(","))
        self._stored = not names & _NO_PRESENTATION_TIMES
        self._step = step
        self._unused: list[int] = []
        self._last: int | None = None

    def read(self, packet: av.Packet) -> None:
        if not self._stored and packet.dts is not None:
            heappush(self._unused, packet.dts)

    def lost(self, packet: av.Packet) -> None:
        """The packet gives no picture."""
        if packet.dts in self._unused:
            self._unused.remove(packet.dts)
            heapify(self._unused)

    def of(self, picture: av.VideoFrame) -> int:
        ticks = picture.pts
        if self._unused:
            ticks = heappop(self._unused)
        if ticks is None:
            ticks = 0 if self._last is None else self._last + self._step
        if self._last is not None and ticks <= self._last:
            ticks = self._last + 1
        self._last = ticks
        return ticks


def _pass(
    media: MediaSource, start: int | None, losses: Losses, *, threads: bool
) -> Generator[tuple[int, av.VideoFrame, av.VideoStream], None, None]:
    """Decode from a key frame at or before ``start``; from the beginning where seeking overshoots or fails.

    threads: several frames at once, which is exact only while nothing is damaged: then it ends with _Damaged.
    """
    with open_media(media) as container:
        stream = find_video_stream(container, source_name(media))
        if start is not None and can_seek(container):
            with suppress(av.error.FFmpegError):  # this kind of file cannot be searched
                container.seek(start, stream=stream)
                pictures = _decoded(container, stream, losses, threads=threads)
                first = next(pictures, None)
                if first is not None and first[0] <= start:
                    yield first
                    yield from pictures
                    return
        else:
            yield from _decoded(container, stream, losses, threads=threads)
            return
    with open_media(media) as container:
        stream = find_video_stream(container, source_name(media))
        yield from _decoded(container, stream, losses, threads=threads)


def _decoded(
    container: av.container.InputContainer, stream: av.VideoStream, losses: Losses, *, threads: bool
) -> Generator[tuple[int, av.VideoFrame, av.VideoStream], None, None]:
    """Everything that decodes, with its presentation time."""
    decoder = _decoder(stream)
    # PyAV's logging, where another package has turned it on, takes Python's lock: a decoding thread waits for it, and
    # whoever holds the lock while closing the decoder waits for the thread
    threads = threads and decoder.name not in _CONCEALING and av.logging.get_level() is None
    if threads:
        decoder.thread_type = "AUTO"
        decoder.options = {"err_detect": "explode"}  # so that no damage is passed over
    else:
        decoder.thread_count = 1
    times = _PictureTimes(container, max(1, round(1 / (stream_rate(stream) * stream_time_base(stream)))))
    for packet in chain(read_packets(container, stream, losses), [None]):
        if threads and (losses.failed_reads or (packet is not None and packet.is_corrupt)):
            raise _Damaged
        if packet is not None:
            times.read(packet)
        try:
            pictures = decoder.decode(packet)
        except av.error.FFmpegError as error:
            if threads:
                raise _Damaged from error
            losses.damaged += 1
            if packet is not None:
                times.lost(packet)
            continue
        for picture in pictures:
            if picture.is_corrupt:
                if threads:
                    raise _Damaged
                losses.damaged += 1
            yield times.of(picture), picture, stream


def _all_pictures(
    media: MediaSource, start: int | None, losses: Losses
) -> Generator[tuple[int, av.VideoFrame, av.VideoStream], None, None]:
    """Every picture that one thread decodes, the same in every pass; several threads as long as nothing is damaged."""
    given = 0
    with suppress(_Damaged):
        for each in _pass(media, start, losses, threads=True):
            yield each
            given += 1
        # errors in the last pictures, which several threads finish at once, may go untold
        if not 0 < losses.packets - losses.hidden - given <= _AT_ONCE:
            return
    losses.reset()
    yield from islice(_pass(media, start, losses, threads=False), given, None)


def decode_pictures(
    media: MediaSource, window: TrimWindow, losses: Losses | None = None
) -> Generator[DecodedPicture, None, None]:
    """Decode the pictures of a file.

    Args:
        media: path or bytes of the file.
        window: which part to decode.
        losses: is counted up by what cannot be read or decoded.

    Returns:
        Upright planar pictures, all of the first one's size and format. Every pass gives the same ones.

    Raises:
        InputError: the file cannot be opened or has no pictures.
    """
    with open_media(media) as container:
        time_base = stream_time_base(find_video_stream(container, source_name(media)))
    start = int(window.start / time_base) if window.start else None
    stop: Fraction | None = None
    shape: tuple[int, int, str] | None = None
    orientation: Orientation | None = None
    with closing(_all_pictures(media, start, losses or Losses())) as pictures:
        for ticks, raw, stream in pictures:
            picture = raw
            if stop is None:  # the first picture
                stop = window.stop(ticks * time_base)
            if start is not None and ticks < start:
                continue
            if stop is not None and ticks >= int(stop / time_base):
                return
            if shape is None:
                shape = (picture.width, picture.height, picture.format.name)
                orientation = picture_orientation(picture)
            elif (picture.width, picture.height, picture.format.name) != shape:
                picture = picture.reformat(*shape)
            tags = picture_tags(picture, stream)
            planar, layout = to_planar(picture)
            upright, layout = turn_upright(planar, layout, tags, orientation or UPRIGHT)
            yield DecodedPicture(ticks=ticks, stop=stop, raw=raw, picture=upright, layout=layout, tags=tags)
