"""A video file (or its bytes) as a re-readable stream of frames."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import closing
from fractions import Fraction

import av
import av.error

from ..errors import InputError
from .demux import Losses
from .facts import read_facts
from .sound import Sound
from .sound_stream import find_sound_stream, read_sound_blocks
from .source import MediaSource, open_media, source_name
from .trimmed import DecodedPicture, TrimWindow, decode_pictures
from .video import SourceFile, VideoInfo
from .video_stream import find_video_stream, stream_rate, stream_time_base
from .yuv.planar_frame import PlanarFrame


class FileVideo:
    """A :class:`.video.Video` over any file that libav reads, or the bytes of one (``io.BytesIO``).

    The file is opened anew for every pass and nothing stays open in between.

    Args:
        media: path or bytes of the file.
        start: seconds of the file's clock; the first frame whose time stamp is at least this is frame 0 at time 0.
        duration: keep the frames with time stamps below ``start + duration`` seconds, counted from the first frame of
            the file where that is later than ``start``; None = to the end.

    Raises:
        InputError: there is no file, or nothing in it decodes to a picture.
    """

    def __init__(self, media: MediaSource, *, start: Fraction = Fraction(0), duration: Fraction | None = None) -> None:
        self._window = TrimWindow(start=Fraction(start), duration=None if duration is None else Fraction(duration))
        name = source_name(media)
        with closing(_readable(decode_pictures(media, self._window), name)) as pictures:
            first = next(pictures, None)
        if first is None:
            inside = "" if self._window.whole else f" from {float(self._window.start):g} s on"
            raise InputError(f"{name} has no picture that can be decoded{inside}; it may be damaged or cut off")
        with open_media(media) as container:
            stream = find_video_stream(container, name)
            time_base = stream_time_base(stream)
            self._source = SourceFile(
                media=media,
                start=self._window.start,
                stop=first.stop,
                origin=first.ticks * time_base,
                facts=read_facts(container, first.raw),
            )
            aspect = stream.sample_aspect_ratio
            turned = first.picture.width != stream.codec_context.width
            rate = stream_rate(stream)
            duration, count = self._extent(container, stream, rate)
            self._promised = _indexed_frames(container, stream)
            if self._window.whole and self._promised is not None:
                count = self._promised
            self._info = VideoInfo(
                name=name,
                width=first.picture.width,
                height=first.picture.height,
                frame_rate=rate,
                frame_count=count,
                duration=duration,
                has_sound=find_sound_stream(container) is not None,
                bit_depth=first.layout.bits,
                time_base=time_base,
                pixel_aspect=(1 / Fraction(aspect) if turned else Fraction(aspect)) if aspect else None,
                colour=first.tags,
            )

    def _extent(
        self, container: av.container.InputContainer, stream: av.VideoStream, rate: Fraction
    ) -> tuple[Fraction | None, int | None]:
        """Duration and frame count of the window, by the container's claims."""
        time_base, origin = stream_time_base(stream), self._source.origin
        end: Fraction | None = None
        if stream.duration:
            end = ((stream.start_time or 0) + stream.duration) * time_base
        elif (tagged := _tagged_end(stream)) is not None:
            end = tagged
        elif container.duration:
            end = Fraction((container.start_time or 0) + container.duration, 1_000_000)
        if self._window.whole:
            duration = end - origin if end is not None else None
            count = stream.frames or (round(duration * rate) if duration else None)
            return duration, count or None
        stop = self._source.stop
        if stop is not None:
            end = stop if end is None else min(end, stop)
        duration = max(end - origin, Fraction(0)) if end is not None else None
        return duration, max(1, round(duration * rate)) if duration is not None else None

    @property
    def info(self) -> VideoInfo:
        return self._info

    @property
    def source(self) -> SourceFile:
        return self._source

    def frames(self, *, warn: Callable[[str], None] | None = None) -> Generator[PlanarFrame, None, None]:
        info, losses, count = self._info, Losses(), 0
        time_base = info.time_base or 1 / info.frame_rate
        with closing(_readable(decode_pictures(self._source.media, self._window, losses), info.name)) as pictures:
            for decoded in pictures:
                yield PlanarFrame(
                    index=count,
                    time=decoded.ticks * time_base - self._source.origin,
                    picture=decoded.picture,
                    layout=decoded.layout,
                    tags=decoded.tags,
                )
                count += 1
        if warn is not None and (line := self._lost(count, losses)):
            warn(line)

    def _lost(self, count: int, losses: Losses) -> str | None:
        """One line about the frames that a whole pass could not read; None where all came out."""
        name, claimed = self._info.name, self._info.frame_count or 0
        if self._window.whole and self._promised is not None:
            if count < self._promised:
                lost = self._promised - count
                return f"{name} is damaged or cut off: {lost} of its {self._promised} frames cannot be read"
        elif count < 0.95 * claimed - 1:
            return f"{name} seems to be cut off: only {count} of about {claimed} frames can be read"
        if losses.failed_reads:
            return f"{name} cannot be read in {losses.failed_reads} places; frames may be missing there"
        if losses.damaged:
            return f"{name} is damaged: {losses.damaged} of its pictures decode badly or not at all"
        return None

    def sound_blocks(self, *, warn: Callable[[str], None] | None = None) -> Generator[Sound, None, None]:
        source = self._source
        yield from read_sound_blocks(source.media, origin=source.origin, stop=source.stop, warn=warn)


def _readable(pictures: Generator[DecodedPicture, None, None], name: str) -> Generator[DecodedPicture, None, None]:
    """The same stream, with what ends it early in one line."""
    try:
        yield from pictures
    except (av.error.FFmpegError, OSError) as error:
        raise InputError(f"{name} cannot be read any further ({error}); copy it again") from error


def _indexed_frames(container: av.container.InputContainer, stream: av.VideoStream) -> int | None:
    """How many frames the file's index lists, without those that an edit list hides; None without such an index."""
    if "mp4" not in container.format.name.split(","):
        return None
    entries = getattr(stream, "index_entries", ())  # PyAV knows them from version 17 on
    return sum(not entry.is_discard for entry in entries) or None


def _tagged_end(stream: av.VideoStream) -> Fraction | None:
    """When a track of a Matroska file ends, in seconds, by its statistics tag such as "00:00:01.600000000"."""
    tag = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if tag is None:
        return None
    hours, minutes, seconds = map(Fraction, tag.groups())
    return 3600 * hours + 60 * minutes + seconds
