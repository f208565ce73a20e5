"""Decoding the sound track of an open container, in exact step with the pictures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from itertools import chain

import av
import av.error
import numpy as np
from av.stream import Disposition

from .demux import Losses, read_packets
from .sound import Sound
from .source import MediaSource, open_media, source_name

_log = logging.getLogger(__name__)

# Time stamps of compressed sound are rounded; only a jump of more than this (seconds) is a real gap.
_GAP = Fraction(1, 20)
# Sound that ends more than this (seconds) early is told; codecs pad and cut less.
_SHORT = Fraction(1, 8)
# Decoding from the very start repeats exactly (AAC's noise depends on what came before); only a later moment
# than this (seconds) is worth a seek, and then codecs need a packet or two to settle.
_FAR, _RUN_UP = Fraction(30), Fraction(1)


def find_sound_stream(container: av.container.InputContainer) -> av.AudioStream | None:
    """Choose the sound track that players play: the default one, else the first, of those that can be decoded.

    Returns:
        The track; one that cannot be decoded if all are such, and None where there is none.
    """
    tracks = list(container.streams.audio)
    usable = [track for track in tracks if track.codec_context is not None] or tracks
    default = (track for track in usable if track.disposition & Disposition.default)
    return next(default, usable[0] if usable else None)


def stream_start(stream: av.AudioStream) -> Fraction:
    """When a track begins, in seconds of the container's clock; 0 where the file does not say."""
    return Fraction(stream.start_time or 0) * (stream.time_base or 1)


def decode_sound(
    container: av.container.InputContainer,
    stream: av.AudioStream,
    *,
    origin: Fraction | None,
    stop: Fraction | None = None,
    losses: Losses | None = None,
) -> Iterator[Sound]:
    """Decode a track block by block.

    Late starts and gaps become silence and early starts are cut, so an encoder's priming never shifts anything.
    Damaged packets are silence, and sound that steps back in time is cut, as where recordings are joined.

    Args:
        container: an open file.
        stream: one of its sound tracks.
        origin: the moment of the first sample, in seconds of the container's clock; None = the first sample there is.
        stop: the moment after the last sample; None = to the end.
        losses: is counted up by what cannot be read or decoded.

    Returns:
        Blocks of one rate and layout, back to back.

    Raises:
        av.error.FFmpegError: nothing of the track can be decoded.
    """
    rate = 0
    if origin is not None and origin > _FAR:
        container.seek(int((origin - _RUN_UP) * 1_000_000))
    position = 0  # samples given out so far
    resampler: av.AudioResampler | None = None
    layout = ""
    for frame in _decoded(container, stream, losses or Losses()):
        if resampler is None:
            rate = frame.sample_rate  # the header may state half of it (AAC with band replication)
            layout = frame.layout.name
            resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        seconds = None if frame.pts is None or not frame.time_base else frame.pts * frame.time_base
        if origin is None:
            origin = seconds or Fraction(0)
        converted = [part.to_ndarray() for part in resampler.resample(frame)]
        if not converted:
            continue
        block = np.concatenate(converted, axis=1)
        if seconds is not None:
            ahead = round((seconds - origin) * rate) - position
            if ahead < 0 and (position == 0 or ahead < -_GAP * rate):
                block = block[:, -ahead:]
            elif ahead > 0 and (position == 0 or ahead > _GAP * rate):
                block = np.concatenate([np.zeros((block.shape[0], ahead), np.float32), block], axis=1)
        if stop is not None:
            block = block[:, : max(0, round((stop - origin) * rate) - position)]
        if block.shape[1]:
            position += block.shape[1]
            yield Sound(np.ascontiguousarray(block, dtype=np.float32), rate, layout)
        elif stop is not None and seconds is not None and seconds >= stop:
            return


def _decoded(container: av.container.InputContainer, stream: av.AudioStream, losses: Losses) -> Iterator[av.AudioFrame]:
    decoded_any = False
    failure: av.error.FFmpegError | None = None
    for packet in chain(read_packets(container, stream, losses), [None]):
        try:
            for frame in stream.codec_context.decode(packet):
                decoded_any = True
                yield frame
        except av.error.EOFError:
            continue
        except av.error.FFmpegError as error:
            losses.damaged += 1
            failure = error
    if failure is not None and not decoded_any:
        raise failure


def lost_sound(name: str, losses: Losses, *, end: Fraction | None, promised: Fraction | None) -> str | None:
    """Describe what is missing of a sound track.

    Args:
        name: what messages call the file.
        losses: what reading it met.
        end: when the sound ends, in seconds of the file's clock.
        promised: when it should end.

    Returns:
        One line, or None where nothing is missing.
    """
    if end is not None and promised is not None and promised - end > _SHORT:
        return f"the sound of {name} is cut off: it ends {float(promised - end):.1f} s before the file says"
    places = losses.damaged + losses.failed_reads
    return f"the sound of {name} is damaged in {places} places, which are silent" if places else None


def promised_end(stream: av.AudioStream, stop: Fraction | None) -> Fraction | None:
    """When a track ends by the container's claim, but at ``stop`` at the latest; None where it does not say."""
    if not stream.duration:
        return None
    end = stream_start(stream) + stream.duration * (stream.time_base or 1)
    return end if stop is None else min(end, stop)


def read_sound_blocks(
    media: MediaSource,
    *,
    origin: Fraction | None,
    stop: Fraction | None,
    warn: Callable[[str], None] | None = None,
) -> Generator[Sound, None, None]:
    """Read the sound of a file between two moments of its clock (see :func:`decode_sound`).

    Args:
        media: a video or sound file.
        origin: the moment of the first sample, in seconds; None = the first sample there is.
        stop: the moment after the last sample; None = to the end.
        warn: is told in one line why nothing of a track can be used; by default the line is logged.

    Returns:
        Blocks of sound; none where the file has no sound that decodes.
    """
    warn, name = warn or _log.warning, source_name(media)
    with open_media(media) as container:
        stream = find_sound_stream(container)
        if stream is None:
            return
        if stream.codec_context is None:
            warn(f"the sound of {name} uses a codec that cannot be decoded here; going on without sound")
            return
        losses, read, rate = Losses(), 0, 1
        if origin is None:
            origin = stream_start(stream)
        promised = promised_end(stream, stop)
        try:
            for block in decode_sound(container, stream, origin=origin, stop=stop, losses=losses):
                read += block.samples.shape[1]
                rate = block.sample_rate
                yield block
        except (av.error.FFmpegError, ValueError) as error:
            warn(f"the sound of {name} cannot be decoded ({error}); going on without sound")
            return
        if not read:
            warn(f"the sound track of {name} is empty; going on without sound")
        elif line := lost_sound(name, losses, end=origin + Fraction(read, rate), promised=promised):
            warn(line)
