"""The sound track of an output: copied packet by packet, or encoded anew, interleaved with the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
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
    """Packets of ``stream``, moved by ``-shift`` seconds, up to ``stop`` (source clock; None = all).

    keeps_unheard: whether the container can say that packets before time 0 are decoded but not heard. Where it
    cannot, only the one that the decoder needs to settle is kept.
    """

    def __init__(
        self,
        output: av.container.OutputContainer,
        source: av.container.InputContainer,
        stream: av.AudioStream,
        *,
        shift: Fraction,
        stop: Fraction | None,
        keeps_unheard: bool,
    ) -> None:
        self._output = output
        self._stream = output.add_stream_from_template(stream)
        if stream.metadata.get("language"):
            self._stream.metadata["language"] = stream.metadata["language"]
        self._packets = self._read(source, stream, shift, stop, keeps_unheard)
        self._due: av.Packet | None = next(self._packets, None)

    @staticmethod
    def _read(source, stream, shift: Fraction, stop: Fraction | None, keeps_unheard: bool) -> Iterator[av.Packet]:
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
                if not keeps_unheard and packet.pts + 2 * (packet.duration or 0) <= 0:
                    continue
            yield packet

    def advance(self, until: Fraction | None) -> None:
        while self._due is not None and (until is None or self._due.dts * self._due.time_base <= until):
            self._due.stream = self._stream
            self._output.mux(self._due)
            self._due = next(self._packets, None)


class EncodedSound:
    """One or two channels encoded from blocks of sound; the first sample lies at time 0 of the output."""

    def __init__(
        self,
        output: av.container.OutputContainer,
        first: Sound,
        others: Iterator[Sound],
        *,
        codec: str,
        bitrate: int,
    ) -> None:
        self._output = output
        self._blocks = chain([first], others)
        self._source_rate = rate = first.sample_rate
        self._layout = layout = "mono" if first.samples.shape[0] == 1 else "stereo"
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
            samples = np.ascontiguousarray(block.samples)
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=self._layout)
            frame.sample_rate = self._source_rate
            frame.time_base = Fraction(1, self._source_rate)
            frame.pts = self._position
            self._position += samples.shape[1]
            self._output.mux(self._stream.encode(frame))


def _pieces(sound: Sound) -> Iterator[Sound]:
    for start in range(0, sound.samples.shape[1], _BLOCK):
        yield Sound(sound.samples[:, start : start + _BLOCK], sound.sample_rate)


def encode_samples(
    output: av.container.OutputContainer, sound: Sound, *, codec: str, bitrate: int
) -> EncodedSound | None:
    """A track from sound in memory; more than two channels are mixed to one. None where there are no samples."""
    pieces = _pieces(sound if sound.samples.shape[0] <= 2 else sound.mono())
    first = next(pieces, None)
    return EncodedSound(output, first, pieces, codec=codec, bitrate=bitrate) if first is not None else None


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
    """A track re-encoded from a file as it streams, in at most two channels; None where nothing of it decodes."""
    blocks = sound_blocks(source, stream, origin=origin, stop=stop, stereo=True)
    try:
        first = next(blocks, None)
    except (av.error.FFmpegError, ValueError):
        first = None
    return EncodedSound(output, first, blocks, codec=codec, bitrate=bitrate) if first is not None else None


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
            edit_lists = container.muxer in ("mp4", "mov")
            track = CopiedSound(output, source, stream, shift=shift, stop=stop, keeps_unheard=edit_lists)
            return track, "copied", None
        except (av.error.FFmpegError, ValueError):
            pass  # the muxer refuses this codec after all: encode it anew
    lost = f"the sound of {video.info.name} cannot be decoded nor kept in this kind of file; the output is silent"
    if stream.codec_context is None:
        return None, "none", lost
    encoded = encode_stream(output, source, stream, origin=shift, stop=stop, codec=container.sound, bitrate=bitrate)
    return (encoded, "encoded", None) if encoded is not None else (None, "none", lost)
