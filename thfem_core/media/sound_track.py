"""The sound track of an output: copied packet by packet, or encoded anew, interleaved with the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Literal, Protocol

import av
import av.error
import numpy as np

from .encoding import Container
from .file_video import FileVideo
from .sound import Sound, find_sound_stream, sound_blocks

_OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
_BLOCK = 16_384

SoundKind = Literal["copied", "encoded", "none"]


class SoundTrack(Protocol):
    """``advance`` muxes what is due before a moment of the output; None means everything that is left."""

    def advance(self, until: Fraction | None) -> None: ...


def can_copy(stream: av.AudioStream, container: Container, output: av.container.OutputContainer) -> bool:
    """Whether players accept the track's packets in this container as they are."""
    if stream.codec_context is None:
        return False
    # decoders may carry another name than their codec, such as mp3float for mp3
    name = stream.codec_context.name
    names = {name, name.removesuffix("float"), name.removeprefix("lib")}
    return bool(names & (container.copied_sound or output.supported_codecs))


class CopiedSound:
    """Packets of ``stream``, moved by ``-shift`` seconds, up to ``stop`` (source clock; None = all)."""

    def __init__(
        self,
        output: av.container.OutputContainer,
        source: av.container.InputContainer,
        stream: av.AudioStream,
        *,
        shift: Fraction,
        stop: Fraction | None,
    ) -> None:
        self._output = output
        self._stream = output.add_stream_from_template(stream)
        self._packets = self._read(source, stream, shift, stop)
        self._due: av.Packet | None = next(self._packets, None)

    @staticmethod
    def _read(source, stream, shift: Fraction, stop: Fraction | None) -> Iterator[av.Packet]:
        ticks = round(shift / stream.time_base)
        packets = source.demux(stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.FFmpegError):  # a cut-off file ends where it ends
                return
            if not packet.size or packet.dts is None:
                continue
            if stop is not None and packet.pts is not None and packet.pts * stream.time_base >= stop:
                return
            packet.dts -= ticks
            if packet.pts is not None:
                packet.pts -= ticks
            yield packet

    def advance(self, until: Fraction | None) -> None:
        while self._due is not None and (until is None or self._due.dts * self._due.time_base <= until):
            self._due.stream = self._stream
            self._output.mux(self._due)
            self._due = next(self._packets, None)


class EncodedSound:
    """Sound encoded from blocks of float32 (channels, n) samples; the first sample lies at time 0 of the output."""

    def __init__(
        self,
        output: av.container.OutputContainer,
        blocks: Iterator[np.ndarray],
        *,
        sample_rate: int,
        layout: str,
        codec: str,
        bitrate: int,
    ) -> None:
        self._output = output
        self._blocks = blocks
        self._source_rate = sample_rate
        self._layout = layout
        rate = sample_rate
        if codec == "libopus" and rate not in _OPUS_RATES:
            rate = _OPUS_RATES[-1]
        self._stream = output.add_stream(codec, rate=rate, layout=layout)
        self._stream.bit_rate = bitrate
        self._position = 0
        self._ended = False

    def advance(self, until: Fraction | None) -> None:
        while not self._ended and (until is None or Fraction(self._position, self._source_rate) <= until):
            block = next(self._blocks, None)
            if block is None:
                self._ended = True
                self._output.mux(self._stream.encode(None))
                return
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=self._layout)
            frame.sample_rate = self._source_rate
            frame.time_base = Fraction(1, self._source_rate)
            frame.pts = self._position
            self._position += block.shape[1]
            self._output.mux(self._stream.encode(frame))


def _pieces(samples: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, samples.shape[1], _BLOCK):
        yield samples[:, start : start + _BLOCK]


def layout_name(channels: int) -> str:
    """libav's name for a usual layout of so many channels (2 for what has no usual one)."""
    return {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 8: "7.1"}.get(channels, "stereo")


def encode_samples(output: av.container.OutputContainer, sound: Sound, *, codec: str, bitrate: int) -> EncodedSound:
    """A track from sound in memory; channel counts without a usual layout are mixed to one."""
    if sound.samples.shape[0] not in (1, 2, 3, 4, 5, 6, 8):
        sound = sound.mono()
    return EncodedSound(
        output,
        _pieces(sound.samples),
        sample_rate=sound.sample_rate,
        layout=layout_name(sound.samples.shape[0]),
        codec=codec,
        bitrate=bitrate,
    )


def encode_stream(
    output: av.container.OutputContainer,
    source: av.container.InputContainer,
    stream: av.AudioStream,
    *,
    origin: Fraction,
    stop: Fraction | None,
    codec: str,
    bitrate: int,
) -> EncodedSound | None:
    """A track re-encoded from a file as it streams; None where nothing of it decodes."""
    blocks = sound_blocks(source, stream, origin=origin, stop=stop)
    try:
        first = next(blocks, None)
    except (av.error.FFmpegError, ValueError):
        first = None
    if first is None:
        return None

    def all_blocks() -> Iterator[np.ndarray]:
        yield first
        yield from blocks

    return EncodedSound(
        output,
        all_blocks(),
        sample_rate=stream.codec_context.sample_rate,
        layout=stream.codec_context.layout.name,
        codec=codec,
        bitrate=bitrate,
    )


def add_sound_file(
    output: av.container.OutputContainer,
    container: Container,
    video: FileVideo,
    source: av.container.InputContainer,
    *,
    shift: Fraction,
    bitrate: int,
) -> tuple[SoundTrack | None, SoundKind, str | None]:
    """The source's own sound in the output: the track, how it came about, and a warning where it is lost.

    shift: the moment of the source's clock that becomes time 0 of the output.
    """
    stream = find_sound_stream(source)
    if stream is None:
        return None, "none", None
    window = video.window
    stop = None if window.duration is None else window.start + window.duration
    if not window.start and can_copy(stream, container, output):
        try:
            return CopiedSound(output, source, stream, shift=shift, stop=stop), "copied", None
        except (av.error.FFmpegError, ValueError):
            pass  # the muxer refuses this codec after all: encode it anew
    lost = f"the sound of {video.info.name} cannot be decoded nor kept in this kind of file; the output is silent"
    if stream.codec_context is None:
        return None, "none", lost
    track = encode_stream(output, source, stream, origin=shift, stop=stop, codec=container.sound, bitrate=bitrate)
    return (track, "encoded", None) if track is not None else (None, "none", lost)
