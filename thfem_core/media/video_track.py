"""The picture track of an output: exact time stamps and durations, colour tags, bounded memory."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import av
from av.stream import Disposition

from ..errors import InputError, OutputError
from .encoding import Container, EncodingConfig, choose_codec, choose_layout, encoder_formats, encoder_options
from .frame import Frame
from .video import Video
from .yuv.colour import UNSPECIFIED, ColourTags
from .yuv.encoder_picture import encoder_picture, encoder_tags
from .yuv.pixel_format import PixelLayout
from .yuv.planar_frame import PlanarFrame

_FINEST_CLOCK = 1_000_000
# The last frame of a variable rate is believed to last this many steps at most: often its true length is not stored.
_LONGEST_LAST = 4
# x265 gives fewer pictures than its B-frames need any decoding time.
_VERY_SHORT = 4


def _clock(like: Video) -> Fraction:
    """Seconds per tick: the source's own, so that its time stamps are kept exactly."""
    tick = Fraction(1, (like.info.time_base or 1 / like.info.frame_rate).denominator)
    return max(tick, Fraction(1, _FINEST_CLOCK))


def _set_tags(context: av.VideoCodecContext, tags: ColourTags) -> None:
    context.color_range = tags.range
    for name, value in (("colorspace", tags.matrix), ("color_primaries", tags.primaries), ("color_trc", tags.transfer)):
        if value != UNSPECIFIED:
            setattr(context, name, value)


def _why_not_played(layout: PixelLayout, container: Container, size: tuple[int, int]) -> str | None:
    """Why browsers, QuickTime and phones do not play H.264 or H.265 of a format; None where they do."""
    if container.muxer not in ("mp4", "mov") or layout.shift == (1, 1) or layout.alpha is not None:
        return None
    if size[0] % 2 or size[1] % 2:
        why = f"{size[0]}x{size[1]} is odd, and only 4:4:4 keeps it; make width and height even"
    else:
        why = "its colours are finer than 4:2:0, as in the source; convert the source to 4:2:0 for them"
    return f"many players (browsers, QuickTime, phones) do not play this file: {why}"


class VideoTrack:
    """Encodes frames of one size; each waits for the next one's time, which is its own end.

    offset: seconds by which the track starts after the output's time 0.
    """

    def __init__(
        self,
        output: av.container.OutputContainer,
        first: Frame,
        *,
        like: Video,
        container: Container,
        encoding: EncodingConfig,
        offset: Fraction,
    ) -> None:
        source = first.layout if isinstance(first, PlanarFrame) else None
        transparent = source is not None and source.alpha is not None
        deep = source is not None and source.bits > 8
        self.codec = choose_codec(container, encoding, transparent=transparent, deep=deep)
        self.layout = choose_layout(encoder_formats(self.codec), source, (first.width, first.height))
        self.plays_not = _why_not_played(self.layout, container, (first.width, first.height))
        self.drops_alpha = transparent and self.layout.alpha is None
        self._tags = encoder_tags(first)
        self._tick = _clock(like)
        self._rate = like.info.frame_rate
        self._output = output
        self._size = (first.width, first.height)
        self._offset = offset
        self._waiting: Frame | None = None
        self._first_ticks: int | None = None
        self._last_ticks: int | None = None
        self._end_ticks = 0  # of the frame encoded last
        self._first_dts: int | None = None
        self._encoded = 0
        self._durations: dict[int, int] = {}
        self._step = 1 / self._rate
        self._steady = True  # all steps so far equal the rate's, but for the clock's rounding

        try:
            options = encoder_options(self.codec, encoding, None if like.source is None else like.source.facts)
            stream = output.add_stream(self.codec, rate=self._rate, options=options)
        except ValueError as error:
            raise OutputError(f"cannot write {self.codec} into this kind of file; choose another codec") from error
        self._stream = cast(av.VideoStream, stream)
        self._stream.disposition = Disposition.default
        context = self._stream.codec_context
        if self.codec == "libx265" and container.muxer in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # the form that QuickTime and phones know
        if like.source is not None and like.source.facts.timecode and not like.source.start:
            stream.metadata["timecode"] = like.source.facts.timecode
        context.width, context.height = self._size
        context.pix_fmt = self.layout.name
        context.time_base = self._tick
        # sliced threads, PyAV's default, cost x264 quality and speed
        context.thread_type = "FRAME"
        _set_tags(context, self._tags)
        if like.info.pixel_aspect:
            context.sample_aspect_ratio = like.info.pixel_aspect

    def _ticks(self, time: Fraction) -> int:
        ticks = round((time + self._offset) / self._tick)
        return ticks if self._last_ticks is None else max(ticks, self._last_ticks + 1)

    def add(self, frame: Frame) -> Fraction:
        """Take a frame; returns its time in the output, in seconds. Raises InputError if its size differs."""
        if (frame.width, frame.height) != self._size:
            raise InputError(
                f"frame {frame.index} is {frame.width}x{frame.height} but the clip began with "
                f"{self._size[0]}x{self._size[1]}; all frames must have one size"
            )
        if self._waiting is not None:
            self._step = frame.time - self._waiting.time
            self._steady &= abs(self._step - 1 / self._rate) <= self._tick
            self._encode(self._waiting, end=frame.time)
        self._waiting = frame
        return frame.time + self._offset

    def _encode(self, frame: Frame, end: Fraction) -> None:
        ticks = self._ticks(frame.time)
        if self._first_ticks is None:
            self._first_ticks = ticks
        self._last_ticks = ticks
        self._end_ticks = max(ticks + 1, round((end + self._offset) / self._tick))
        self._encoded += 1
        self._durations[ticks] = self._end_ticks - ticks
        picture = encoder_picture(frame, self.layout, self._tags)
        picture.pts, picture.time_base = ticks, self._tick
        picture.pict_type = 0  # let the encoder choose: the decoder's I, P and B are not its plan
        self._mux(self._stream.encode(picture))

    def _mux(self, packets: list[av.Packet]) -> None:
        for packet in packets:
            duration = self._durations.pop(packet.pts, None) if packet.pts is not None else None
            if duration is not None:
                packet.duration = duration
            if self._first_dts is None:
                self._first_dts = packet.dts
            self._output.mux(packet)

    def finish(self, clip_end: Fraction | None) -> None:
        """Encode what is left. clip_end: when the last frame ends, as far as the source knows."""
        if self._waiting is not None:
            frame, self._waiting = self._waiting, None
            step = 1 / self._rate if self._steady else self._step
            end = frame.time + step
            if not self._steady and clip_end is not None and frame.time < clip_end <= frame.time + _LONGEST_LAST * step:
                end = clip_end
            self._encode(frame, end)
        packets = self._stream.encode(None)
        if len(packets) == self._encoded <= _VERY_SHORT:
            _order(packets)
        self._mux(packets[:-1])
        if packets:
            self._stretch(packets[-1])
            self._mux(packets[-1:])

    def _stretch(self, last: av.Packet) -> None:
        """Make the steps between decoding times and the last duration as long as the clip: MP4 adds them up."""
        if last.pts is None or last.dts is None or self._first_dts is None or self._first_ticks is None:
            return
        left = self._end_ticks - self._first_ticks - (last.dts - self._first_dts)
        if left > 0:
            self._durations[last.pts] = left


def _order(packets: list[av.Packet]) -> None:
    """Give all packets of a track decoding times: those of its pictures, as much earlier as their order demands."""
    times = sorted(packet.pts or 0 for packet in packets)
    delay = max(time - (packet.pts or 0) for time, packet in zip(times, packets, strict=True))
    for time, packet in zip(times, packets, strict=True):
        packet.dts = time - delay
