"""Decoding every picture of a track, damaged files included, the same ones in every pass."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from fractions import Fraction
from heapq import heapify, heappop, heappush
from itertools import chain, islice
from typing import cast

import av
import av.error
import av.filter

from .demux import Losses, read_packets
from .source import MediaSource, open_media, source_name
from .video_stream import can_seek, find_video_stream, stream_rate, stream_time_base

# So many pictures at most are decoded at once, reordered ones included.
_AT_ONCE = 48
_ANY_TICK = Fraction(1, 90_000)
# Decoders that hide some damage without a word; they need one thread, which is fast enough for them.
_CONCEALING = {"mpeg1video", "mpeg2video", "mpegvideo", "mjpeg", "ffv1", "vp8"}
# Containers that store no presentation times, or whose times are made up.
_NO_PRESENTATION_TIMES = {"avi", "h264", "hevc", "m4v", "mpegvideo", "vc1", "cavsvideo"}


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


class _Copier:
    """Copies of pictures in memory of their own.

    What a damaged picture does not define is left over from whatever was in its memory before. The decoder takes that
    from a pool; while nobody else holds any of it, the same memory comes in the same order in every pass.
    """

    def __init__(self) -> None:
        self._shape: tuple[int, int, str] | None = None
        self._graph = av.filter.Graph()

    def of(self, picture: av.VideoFrame) -> av.VideoFrame:
        """The copy, with everything that is known of the picture."""
        shape = picture.width, picture.height, picture.format.name
        if shape != self._shape:
            self._shape, self._graph = shape, av.filter.Graph()
            source = self._graph.add_buffer(
                width=picture.width, height=picture.height, format=picture.format, time_base=_ANY_TICK
            )
            self._graph.link_nodes(source, self._graph.add("copy"), self._graph.add("buffersink")).configure()
        picture.time_base = _ANY_TICK  # nothing is scaled: time stamps stay as they are
        self._graph.push(picture)
        return cast(av.VideoFrame, self._graph.pull())


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
    copied = _Copier()
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
        while pictures:
            picture = pictures.pop(0)
            if picture.is_corrupt:
                if threads:
                    raise _Damaged
                losses.damaged += 1
            if not threads:
                picture = copied.of(picture)
            yield times.of(picture), picture, stream
            del picture


def decode_all(
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
