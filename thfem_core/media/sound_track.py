"""The sound track of an output: copied packet by packet, or encoded anew, interleaved with the pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain
from typing import Literal, Protocol, cast

import av
import av.error
import numpy as np
from av.stream import Disposition

from .demux import Losses, read_packets
from .encoding import Container
from .sound import Sound
from .sound_stream import find_sound_stream, lost_sound, promised_end, read_sound_blocks
from .video import SourceFile

# What AAC and Opus hold; other numbers of channels are mixed to two by the encoder's own converter.
_ENCODED_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
# Decoders need what is played in two packets before they are right; so long (seconds) where the file does not say.
_SETTLING = Fraction(1, 20)
_LOUDEST = 4.0  # samples are nominally within -1..1; mixes run over it a little

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


class CopiedTrack:
    """Packets of a track, taken over as they are.

    Packets that step back in time, as where recordings are joined, are left out: the muxer would refuse them, and
    moving them would move all that follows.

    Args:
        output: the file that is written.
        source: the file of the track, opened for this track alone.
        stream: the track.
        shift: the moment of the source's clock, in seconds, that becomes time 0 of the output.
        stop: the moment of the source's clock where copying ends; None = at the end.
        keeps_unheard: whether the container can say that packets before time 0 are decoded but not heard. Where it
            cannot, only the one that the decoder needs to settle can be kept.
        warn: is told in one line each what is lost.

    Raises:
        ValueError: more sound than the container can hide comes before time 0.
    """

    def __init__(
        self,
        output: av.container.OutputContainer,
        source: av.container.InputContainer,
        stream: av.stream.Stream,
        *,
        shift: Fraction,
        stop: Fraction | None,
        keeps_unheard: bool,
        warn: Callable[[str], None],
    ) -> None:
        self._output, self._source, self._in = output, source, stream
        self._shift, self._stop, self._keeps_unheard, self._warn = shift, stop, keeps_unheard, warn
        self._packets = self._read()
        self._due: av.Packet | None = next(self._packets, None)  # before the output has a track that may stay empty
        self.stream = output.add_stream_from_template(stream)
        for tag in ("language", "title"):
            if stream.metadata.get(tag):
                self.stream.metadata[tag] = stream.metadata[tag]

    def _read(self) -> Iterator[av.Packet]:
        tick = self._in.time_base or Fraction(1, 90_000)
        ticks, losses = round(self._shift / tick), Losses()
        last: int | None = None
        end, repeated = Fraction(0), 0
        for packet in read_packets(self._source, self._in, losses):
            if packet.dts is None:
                continue
            if self._stop is not None and packet.pts is not None and packet.pts * tick >= self._stop:
                break
            if last is not None and packet.dts <= last:
                repeated += 1
                continue
            last = packet.dts
            end = (last + (packet.duration or 0)) * tick
            packet.dts -= ticks
            if packet.pts is not None:
                packet.pts -= ticks
                settling = 2 * packet.duration if packet.duration else round(_SETTLING / tick)
                if not self._keeps_unheard and packet.pts + settling <= 0:
                    raise ValueError("the track begins before the clip, and this container would let it be heard")
            yield packet
        self._tell(losses, end, repeated)

    def _tell(self, losses: Losses, end: Fraction, repeated: int) -> None:
        if not isinstance(self._in, av.AudioStream):
            return
        name = os.path.basename(self._source.name.removeprefix("file:"))
        if line := lost_sound(name, losses, end=end, promised=promised_end(self._in, self._stop)):
            self._warn(line)
        if repeated:
            self._warn(f"the sound of {name} steps back in time; {repeated} overlapping pieces were left out")

    def advance(self, until: Fraction | None) -> None:
        while self._due is not None and (until is None or _start(self._due) <= until):
            self._due.stream = self.stream
            self._output.mux(self._due)
            self._due = next(self._packets, None)


def _start(packet: av.Packet) -> Fraction:
    """When a packet is decoded, in seconds; known of every packet that is copied."""
    return (packet.dts or 0) * (packet.time_base or Fraction(1))


class EncodedSound:
    """A track encoded from blocks of sound; the first sample lies at time 0 of the output."""

    def __init__(
        self,
        output: av.container.OutputContainer,
        first: Sound,
        others: Iterator[Sound],
        *,
        codec: str,
        bitrate: int,
        warn: Callable[[str], None],
    ) -> None:
        self._output = output
        self._blocks = chain([first], others)
        self._source_rate = first.sample_rate
        self._warn, self._mended = warn, False
        rate = encoder_rate(codec, first.sample_rate)
        if rate < first.sample_rate:
            warn(f"{codec} holds no sound of {first.sample_rate} Hz; it is written with {rate} Hz")
        layout = _ENCODED_LAYOUTS.get(len(first.samples), "stereo")
        if len(first.samples) > 2 and layout == "stereo":
            warn(f"the {len(first.samples)} channels of the sound are mixed to two")
        self._stream = cast(av.AudioStream, output.add_stream(codec, rate=rate, layout=layout))
        self._stream.bit_rate = bitrate * max(1, len(first.samples) // 2)
        self._stream.disposition = Disposition.default
        self._position = 0
        self._ended = False

    def advance(self, until: Fraction | None) -> None:
        while not self._ended and (until is None or Fraction(self._position, self._source_rate) <= until):
            block = next(self._blocks, None)
            if block is None:
                self._ended = True
                self._output.mux(self._stream.encode(None))
                return
            samples = self._usable(np.ascontiguousarray(block.samples))
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=block.layout)
            frame.sample_rate = self._source_rate
            frame.time_base = Fraction(1, self._source_rate)
            frame.pts = self._position
            self._position += samples.shape[1]
            self._output.mux(self._stream.encode(frame))

    def _usable(self, samples: np.ndarray) -> np.ndarray:
        """Encoders refuse what is not a number or absurdly loud."""
        if np.isfinite(samples).all() and np.abs(samples).max(initial=0) <= _LOUDEST:
            return samples
        if not self._mended:
            self._mended = True
            self._warn("the sound has samples that are no numbers, or far too loud; they are silenced or limited")
        return np.clip(np.nan_to_num(samples, nan=0.0), -1.0, 1.0)


def encoder_rate(codec: str, rate: int) -> int:
    """The sample rate that an encoder takes instead of ``rate``: the next higher one, else its highest."""
    rates = sorted(av.Codec(codec, "w").audio_rates or [rate])
    return next((each for each in rates if each >= rate), rates[-1])


def encode_blocks(
    output: av.container.OutputContainer,
    blocks: Iterator[Sound],
    *,
    codec: str,
    bitrate: int,
    warn: Callable[[str], None],
) -> EncodedSound | None:
    """Start a track that is encoded as its blocks arrive; None where there are none."""
    first = next(blocks, None)
    return EncodedSound(output, first, blocks, codec=codec, bitrate=bitrate, warn=warn) if first is not None else None


def add_file_sound(
    output: av.container.OutputContainer,
    container: Container,
    source: SourceFile,
    copies: av.container.InputContainer,
    *,
    shift: Fraction,
    bitrate: int,
    warn: Callable[[str], None],
) -> tuple[SoundTrack | None, SoundKind]:
    """Start the track of a file's own sound, copied where players take its packets as they are.

    Args:
        output: the file that is written.
        container: its type.
        source: the file that the sound is from.
        copies: that file, opened for copying.
        shift: the moment of the source's clock that becomes time 0 of the output.
        bitrate: bits per second where the sound is encoded anew.
        warn: is told in one line each what is lost or changed.

    Returns:
        The track, and how it came about.
    """
    stream = find_sound_stream(copies)
    if stream is None:
        return None, "none"
    if not source.start and can_copy(stream, container, output):
        try:
            edit_lists = container.muxer in ("mp4", "mov")
            track = CopiedTrack(
                output, copies, stream, shift=shift, stop=source.stop, keeps_unheard=edit_lists, warn=warn
            )
            track.stream.disposition = Disposition.default
            return track, "copied"
        except (av.error.FFmpegError, ValueError):
            pass  # the muxer refuses this codec after all, or cannot hide what was cut off: encode it anew
    blocks = read_sound_blocks(source.media, origin=shift, stop=source.stop, warn=warn)
    encoded = encode_blocks(output, blocks, codec=container.sound, bitrate=bitrate, warn=warn)
    return encoded, "none" if encoded is None else "encoded"
