"""The sound track of an output: copied packet by packet, or encoded anew, interleaved with the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from typing import Literal, Protocol, cast

import av
import av.error
import numpy as np

from .encoding import Container
from .sound import Sound
from .sound_stream import find_sound_stream, read_sound_blocks
from .source import source_name
from .video import SourceFile

_OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)

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
    def _read(
        source: av.container.InputContainer,
        stream: av.AudioStream,
        shift: Fraction,
        stop: Fraction | None,
        keeps_unheard: bool,
    ) -> Iterator[av.Packet]:
        ticks = round(shift / (stream.time_base or 1))
        packets = source.demux(stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.FFmpegError):  # a cut-off file ends where it ends
                return
            if not packet.size or packet.dts is None:
                continue
            if stop is not None and packet.pts is not None and packet.pts * (stream.time_base or 1) >= stop:
                return
            packet.dts -= ticks
            if packet.pts is not None:
                packet.pts -= ticks
                if not keeps_unheard and packet.pts + 2 * (packet.duration or 0) <= 0:
                    continue
            yield packet

    def advance(self, until: Fraction | None) -> None:
        while self._due is not None and (until is None or _start(self._due) <= until):
            self._due.stream = self._stream
            self._output.mux(self._due)
            self._due = next(self._packets, None)


def _start(packet: av.Packet) -> Fraction:
    """When a packet is decoded, in seconds; known of every packet that is copied."""
    return (packet.dts or 0) * (packet.time_base or Fraction(1))


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
        if codec == "libopus" and rate not in _OPUS_RATES:
            rate = _OPUS_RATES[-1]
        # more channels are mixed to two by the encoder's own converter
        layout = "mono" if len(first.samples) == 1 else "stereo"
        self._stream = cast(av.AudioStream, output.add_stream(codec, rate=rate, layout=layout))
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
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=block.layout)
            frame.sample_rate = self._source_rate
            frame.time_base = Fraction(1, self._source_rate)
            frame.pts = self._position
            self._position += samples.shape[1]
            self._output.mux(self._stream.encode(frame))


def encode_blocks(
    output: av.container.OutputContainer, blocks: Iterator[Sound], *, codec: str, bitrate: int
) -> EncodedSound | None:
    """Start a track that is encoded as its blocks arrive; None where there are none."""
    first = next(blocks, None)
    return EncodedSound(output, first, blocks, codec=codec, bitrate=bitrate) if first is not None else None


def add_file_sound(
    output: av.container.OutputContainer,
    container: Container,
    source: SourceFile,
    copies: av.container.InputContainer,
    *,
    shift: Fraction,
    bitrate: int,
) -> tuple[SoundTrack | None, SoundKind, str | None]:
    """Start the track of a file's own sound, copied where players take its packets as they are.

    Args:
        output: the file that is written.
        container: its type.
        source: the file that the sound is from.
        copies: that file, opened for copying.
        shift: the moment of the source's clock that becomes time 0 of the output.
        bitrate: bits per second where the sound is encoded anew.

    Returns:
        The track, how it came about, and a warning where the sound is lost.
    """
    stream = find_sound_stream(copies)
    if stream is None:
        return None, "none", None
    if not source.start and can_copy(stream, container, output):
        try:
            edit_lists = container.muxer in ("mp4", "mov")
            track = CopiedSound(output, copies, stream, shift=shift, stop=source.stop, keeps_unheard=edit_lists)
            return track, "copied", None
        except (av.error.FFmpegError, ValueError):
            pass  # the muxer refuses this codec after all: encode it anew
    blocks = read_sound_blocks(source.media, origin=shift, stop=source.stop, warn=lambda _: None)
    encoded = encode_blocks(output, blocks, codec=container.sound, bitrate=bitrate)
    if encoded is None:
        name = source_name(source.media)
        lost = f"the sound of {name} cannot be decoded nor kept in this kind of file; the output is silent"
        return None, "none", lost
    return encoded, "encoded", None
