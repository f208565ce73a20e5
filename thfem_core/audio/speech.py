"""The sound of a clip as 16 kHz mono, held outside memory however long it is."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import IO

import av.error
import numpy as np
import soxr

from ..errors import InputError, OutputError
from ..media.array_video import ArrayVideo
from ..media.file_video import FileVideo
from ..media.sound import Sound, find_sound_stream, sound_blocks
from ..media.source import MediaSource, open_media, source_name
from ..media.video import Video

_log = logging.getLogger(__name__)

SAMPLE_RATE = 16_000
NORMAL_LEVEL = 0.05  # RMS of active speech after normalisation, -26 dB of full scale as telephony has it
_FAINTEST = 1e-3  # below this level (RMS) there is noise rather than speech: do not amplify it any further
_LEVEL_FRAME = SAMPLE_RATE // 50  # 20 ms
_BLOCK = 1024 * _LEVEL_FRAME  # samples looked at together
_ACTIVE = 10 ** (-15.9 / 10)  # energy of speech pauses against speech, the margin of ITU-T P.56


@dataclass(frozen=True, eq=False)
class Speech:
    """samples: read-only float32 (N,) at ``sample_rate`` (16 kHz), mono; sample 0 is heard at the clip's time 0.

    level: RMS of the parts where somebody speaks: of the 20 ms pieces within 15.9 dB of the loud ones (their 95th
    percentile), so that pauses do not count; 0 for silence.
    """

    samples: np.ndarray
    level: float
    sample_rate: int = SAMPLE_RATE

    @property
    def duration(self) -> Fraction:
        """Seconds."""
        return Fraction(len(self.samples), self.sample_rate)

    @property
    def gain(self) -> float:
        """The factor that brings active speech to an RMS of 0.05; at most 50, so that noise stays noise."""
        return NORMAL_LEVEL / max(self.level, _FAINTEST)

    @classmethod
    def from_blocks(cls, blocks: Iterable[Sound]) -> Speech:
        """Sound that arrives piece by piece, all of one rate: (channels, n) each, mixed and resampled as it comes.

        Raises OutputError where the folder for temporary files is full.
        """
        try:
            # nameless, so nothing is left behind; its pages leave memory again when that is needed
            with tempfile.TemporaryFile(prefix="thfem") as file:
                count = 0
                for piece in _resampled(blocks):
                    file.write(piece)
                    count += len(piece)
                file.flush()
                level = _active_level(file)
                samples = np.memmap(file, np.float32, "r", shape=(count,)) if count else np.zeros(0, np.float32)
        except av.error.FFmpegError:
            raise  # some are OSErrors too, but not of this file
        except OSError as error:
            raise OutputError(
                f"the sound cannot be kept in {tempfile.gettempdir()} ({error.strerror}); free some space there"
            ) from error
        return cls(samples, level)

    @classmethod
    def from_sound(cls, sound: Sound) -> Speech:
        """Sound in memory, of any rate and number of channels."""
        return cls.from_blocks(
            Sound(sound.samples[:, start : start + _BLOCK], sound.sample_rate)
            for start in range(0, sound.samples.shape[1], _BLOCK)
        )

    @classmethod
    def from_file(
        cls,
        source: MediaSource,
        *,
        start: Fraction = Fraction(0),
        duration: Fraction | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> Speech | None:
        """The sound of a video or sound file, by the clock of :func:`..media.sound.read_sound`.

        None where there is no sound track or none that decodes (then ``warn`` is told why). Raises InputError where
        the file cannot be opened.
        """
        warn, name = warn or _log.warning, source_name(source)
        start, duration = Fraction(start), None if duration is None else Fraction(duration)
        with open_media(source) as container:
            stream = find_sound_stream(container)
            if stream is None:
                return None
            if stream.codec_context is None:
                warn(f"the sound of {name} uses a codec that cannot be decoded here; going on without sound")
                return None
            first = stream.start_time * stream.time_base if stream.start_time else Fraction(0)
            try:
                origin = FileVideo(source, start=start, duration=duration).origin
                stop = None if duration is None else start + duration
            except InputError:  # a pure sound file, whose clock starts with its first sample
                origin = first + start
                stop = None if duration is None else origin + duration
            try:
                speech = cls.from_blocks(sound_blocks(container, stream, origin=origin, stop=stop))
            except (av.error.FFmpegError, ValueError) as error:
                warn(f"the sound of {name} cannot be decoded ({error}); going on without sound")
                return None
        if not len(speech.samples):
            warn(f"the sound track of {name} is empty; going on without sound")
            return None
        return speech

    @classmethod
    def from_video(cls, video: Video, *, warn: Callable[[str], None] | None = None) -> Speech | None:
        """The sound that belongs to a clip; None where it has none."""
        if isinstance(video, FileVideo):
            return cls.from_file(video.source, start=video.window.start, duration=video.window.duration, warn=warn)
        sound = video.sound if isinstance(video, ArrayVideo) else None
        return None if sound is None or not sound.samples.shape[1] else cls.from_sound(sound)


def _resampled(blocks: Iterable[Sound]) -> Iterator[np.ndarray]:
    """16 kHz mono pieces of back-to-back blocks; as many samples in all as fit the duration, rounded up."""
    blocks = iter(blocks)
    first = next(blocks, None)
    if first is None:
        return
    rate = first.sample_rate
    resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32") if rate != SAMPLE_RATE else None
    read = written = 0
    for block in chain([first], blocks):
        mono = block.mono().samples[0]
        np.nan_to_num(mono, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        read += len(mono)
        piece = mono if resampler is None else resampler.resample_chunk(mono)
        written += len(piece)
        yield np.ascontiguousarray(piece)
    if resampler is not None:
        missing = -(-read * SAMPLE_RATE // rate) - written
        tail = resampler.resample_chunk(np.zeros(0, np.float32), last=True)[: max(missing, 0)]
        yield np.pad(tail, (0, max(missing - len(tail), 0)))


def _active_level(file: IO[bytes]) -> float:
    """:attr:`Speech.level` of float32 samples in a file, read in blocks: a mapping would count them all as memory."""
    file.seek(0)
    energies = [np.zeros(1)]
    while len(block := np.frombuffer(file.read(4 * _BLOCK), np.float32)):
        frames = np.pad(block, (0, -len(block) % _LEVEL_FRAME)).reshape(-1, _LEVEL_FRAME)
        energies.append(np.square(frames, dtype=np.float64).mean(axis=1))
    energy = np.concatenate(energies)
    active = energy[energy > np.percentile(energy, 95) * _ACTIVE]
    return float(np.sqrt(active.mean())) if len(active) else 0.0
