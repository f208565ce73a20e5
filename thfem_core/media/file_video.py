"""A video file (or its bytes) as a re-readable stream of frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import av.error

from ..errors import InputError
from .sound import Sound, find_sound_stream, read_sound_stream
from .source import MediaSource, open_media, source_name
from .video import VideoInfo
from .video_stream import DecodedPicture, TrimWindow, decode_pictures, find_video_stream, stream_rate
from .yuv.planar_frame import PlanarFrame


class FileVideo:
    """:class:`.video.Video` over any file libav reads, or the bytes of one (``io.BytesIO``).

    start, duration: keep the frames whose time stamps (seconds of the container's clock) lie in
    ``[start, start + duration)``; the first one kept is frame 0 at time 0.
    The file is opened anew for every pass and nothing stays open in between.
    Raises InputError, in one line, where there is no file or nothing in it decodes to a picture.
    """

    def __init__(self, source: MediaSource, *, start: Fraction = Fraction(0), duration: Fraction | None = None) -> None:
        self.source = source
        self.window = TrimWindow(start=Fraction(start), duration=None if duration is None else Fraction(duration))
        self._probe()

    def _probe(self) -> None:
        name = source_name(self.source)
        with open_media(self.source) as container:
            stream = find_video_stream(container, name)
            first = next(self._decode(container, stream), None)
            if first is None:
                inside = "" if self.window.whole else f" from {float(self.window.start):g} s on"
                raise InputError(f"{name} has no picture that can be decoded{inside}; it may be damaged or cut off")
            self.time_base = Fraction(stream.time_base)
            self.origin = first.ticks * self.time_base
            self.tags = first.tags
            self.layout = first.layout
            aspect = stream.sample_aspect_ratio
            turned = first.picture.width != stream.codec_context.width
            self.pixel_aspect = (1 / aspect if turned else aspect) if aspect else None
            self.metadata = dict(container.metadata)
            rate = stream_rate(stream)
            duration, count = self._extent(container, stream, rate)
            self._info = VideoInfo(
                name=name,
                width=first.picture.width,
                height=first.picture.height,
                frame_rate=rate,
                frame_count=count,
                duration=duration,
                has_sound=find_sound_stream(container) is not None,
                bit_depth=first.layout.bits,
            )

    def _extent(self, container, stream, rate: Fraction) -> tuple[Fraction | None, int | None]:
        """Duration and frame count of the window, by the container's claims."""
        if stream.duration:
            begin = (stream.start_time or 0) * self.time_base
            end: Fraction | None = begin + stream.duration * self.time_base
        elif container.duration:
            begin = Fraction(container.start_time or 0, 1_000_000)
            end = begin + Fraction(container.duration, 1_000_000)
        else:
            end = None
        if self.window.whole:
            duration = end - self.origin if end is not None else None
            count = stream.frames or (round(duration * rate) if duration else None)
            return duration, count or None
        if self.window.duration is not None:
            stop = self.window.start + self.window.duration
            end = stop if end is None else min(end, stop)
        duration = max(end - self.origin, Fraction(0)) if end is not None else None
        return duration, max(1, round(duration * rate)) if duration is not None else None

    def _decode(self, container, stream) -> Iterator[DecodedPicture]:
        try:
            yield from decode_pictures(container, stream, self.window)
        except (av.error.FFmpegError, OSError) as error:
            raise InputError(
                f"{source_name(self.source)} cannot be read any further ({error}); copy it again"
            ) from error

    @property
    def info(self) -> VideoInfo:
        return self._info

    def frames(self) -> Iterator[PlanarFrame]:
        with open_media(self.source) as container:
            stream = find_video_stream(container, self._info.name)
            for index, decoded in enumerate(self._decode(container, stream)):
                yield PlanarFrame(
                    index=index,
                    time=decoded.ticks * self.time_base - self.origin,
                    picture=decoded.picture,
                    layout=decoded.layout,
                    tags=decoded.tags,
                )

    def sound(self, *, warn: Callable[[str], None] | None = None) -> Sound | None:
        """The sound from frame 0 on, sample 0 at time 0; None without a usable track (reported to ``warn``)."""
        stop = None if self.window.duration is None else self.window.start + self.window.duration
        return read_sound_stream(self.source, origin=self.origin, stop=stop, warn=warn)
