"""Sound in exact step with the pictures: sample 0 is heard when frame 0 is seen."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import av.error
import numpy as np

from ..errors import InputError
from .source import MediaSource, open_media, source_name

_log = logging.getLogger(__name__)

# Time stamps of compressed sound are rounded; only a jump of more than this (seconds) is a real gap.
_GAP = Fraction(1, 20)
# Decoding from the very start repeats exactly (AAC's noise depends on what came before); only a later moment
# than this (seconds) is worth a seek, and then codecs need a packet or two to settle.
_FAR, _RUN_UP = Fraction(30), Fraction(1)


@dataclass(frozen=True, slots=True)
class Sound:
    """samples: float32 (channels, T), nominally -1..1; sample_rate in Hz; sample 0 is at the clip's time 0."""

    samples: np.ndarray
    sample_rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise ValueError(
                f"sound samples must be float32 (channels, T), not {self.samples.dtype} {self.samples.shape}"
            )
        if self.sample_rate <= 0:
            raise ValueError(f"the sample rate is {self.sample_rate}; give a positive number of hertz")

    @property
    def duration(self) -> Fraction:
        """Seconds."""
        return Fraction(self.samples.shape[1], self.sample_rate)

    def mono(self) -> Sound:
        """All channels averaged to one."""
        return Sound(self.samples.mean(axis=0, keepdims=True, dtype=np.float32), self.sample_rate)

    def resampled(self, sample_rate: int) -> Sound:
        """The same sound at another rate (band-limited, no shift; T becomes ceil(T * new / old))."""
        if sample_rate == self.sample_rate or not self.samples.shape[1]:
            return Sound(self.samples, sample_rate)
        channels = [_resampled_channel(channel, self.sample_rate, sample_rate) for channel in self.samples]
        return Sound(np.stack(channels), sample_rate)


def _resampled_channel(channel: np.ndarray, old_rate: int, new_rate: int) -> np.ndarray:
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=new_rate)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channel[None]), format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = old_rate, 0, Fraction(1, old_rate)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    samples = np.concatenate([part.to_ndarray()[0] for part in parts])
    count = -(-len(channel) * new_rate // old_rate)
    return np.pad(samples[:count], (0, max(0, count - len(samples))))


def find_sound_stream(container: av.container.InputContainer) -> av.AudioStream | None:
    """The first sound track that this installation can decode, else the first of all, else None."""
    tracks = list(container.streams.audio)
    return next((track for track in tracks if track.codec_context is not None), tracks[0] if tracks else None)


def sound_blocks(
    container: av.container.InputContainer,
    stream: av.AudioStream,
    *,
    origin: Fraction | None,
    stop: Fraction | None = None,
    stereo: bool = False,
) -> Iterator[Sound]:
    """Decode a track block by block, all of one rate, back to back, the first sample at ``origin``.

    origin, stop: seconds of the container's clock (origin None: the first sample there is). Late starts and gaps
    become silence, early starts are cut, so an encoder's priming never shifts anything. Damaged packets are
    silence; raises av.error.FFmpegError only if the track cannot be decoded at all. stereo: mix more than two
    channels to two.
    """
    rate = 0
    if origin is not None and origin > _FAR:
        container.seek(int((origin - _RUN_UP) * 1_000_000))
    position = 0  # samples given out so far
    resampler: av.AudioResampler | None = None
    for frame in _decoded(container, stream):
        if resampler is None:
            rate = frame.sample_rate  # the header may state half of it (AAC with band replication)
            layout = "stereo" if stereo and frame.layout.nb_channels > 2 else frame.layout.name
            resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        seconds = None if frame.pts is None else frame.pts * frame.time_base
        if origin is None:
            origin = seconds or Fraction(0)
        converted = [part.to_ndarray() for part in resampler.resample(frame)]
        if not converted:
            continue
        block = np.concatenate(converted, axis=1)
        if seconds is not None:
            ahead = round((seconds - origin) * rate) - position
            if position == 0 and ahead < 0:
                block = block[:, -ahead:]
            elif ahead > 0 and (position == 0 or ahead > _GAP * rate):
                block = np.concatenate([np.zeros((block.shape[0], ahead), np.float32), block], axis=1)
        if stop is not None:
            block = block[:, : max(0, round((stop - origin) * rate) - position)]
        if block.shape[1]:
            position += block.shape[1]
            yield Sound(np.ascontiguousarray(block, dtype=np.float32), rate)
        elif stop is not None and seconds is not None and seconds >= stop:
            return


def _decoded(container: av.container.InputContainer, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
    decoded_any = False
    failure: av.error.FFmpegError | None = None
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            break
        try:
            for frame in packet.decode():
                decoded_any = True
                yield frame
        except av.error.FFmpegError as error:
            failure = error
    if failure is not None and not decoded_any:
        raise failure


def read_sound_stream(
    source: MediaSource,
    *,
    origin: Fraction | None,
    stop: Fraction | None,
    warn: Callable[[str], None] | None = None,
) -> Sound | None:
    """All sound between two moments of the container's clock; None, and a warning, where nothing decodes."""
    warn = warn or _log.warning
    with open_media(source) as container:
        stream = find_sound_stream(container)
        if stream is None:
            return None
        name = source_name(source)
        if stream.codec_context is None:
            warn(f"the sound of {name} uses a codec that cannot be decoded here; going on without sound")
            return None
        try:
            blocks = list(sound_blocks(container, stream, origin=origin, stop=stop))
        except (av.error.FFmpegError, ValueError) as error:
            warn(f"the sound of {name} cannot be decoded ({error}); going on without sound")
            return None
        if not blocks:
            warn(f"the sound track of {name} is empty; going on without sound")
            return None
        return Sound(np.concatenate([block.samples for block in blocks], axis=1), blocks[0].sample_rate)


def read_sound(
    source: MediaSource,
    *,
    start: Fraction = Fraction(0),
    duration: Fraction | None = None,
    warn: Callable[[str], None] | None = None,
) -> Sound | None:
    """The sound of a video or sound file; None if it has no track or none that decodes (then ``warn`` is told why).

    In a video, sample 0 is the moment of the first frame with a time stamp >= ``start``; in a pure sound file it
    is ``start`` seconds after the first sample. Raises InputError where the file itself cannot be opened.
    """
    from .file_video import FileVideo  # a video's clock is its frames'; imported late because it reads sound too

    start, duration = Fraction(start), None if duration is None else Fraction(duration)
    with open_media(source) as container:
        pictures = [
            track
            for track in container.streams.video
            if not track.disposition & av.stream.Disposition.attached_pic and track.codec_context is not None
        ]
        track = find_sound_stream(container)
        begin = track.start_time * track.time_base if track is not None and track.start_time else Fraction(0)
    if pictures:
        try:
            return FileVideo(source, start=start, duration=duration).sound(warn=warn)
        except InputError:
            if track is None:
                raise
    origin = begin + start
    stop = None if duration is None else origin + duration
    return read_sound_stream(source, origin=origin, stop=stop, warn=warn)
