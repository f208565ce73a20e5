"""The sound of a clip as 16 kHz mono, held outside memory however long it is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import IO

import av.error
import numpy as np

from ..errors import OutputError
from ..media.sound import Sound, resample_blocks
from ..media.sound_file import file_sound_blocks
from ..media.source import MediaSource
from ..media.video import Video

SAMPLE_RATE = 16_000
NORMAL_LEVEL = 0.05  # RMS of active speech after normalisation, -26 dB of full scale as telephony has it
_FAINTEST = 1e-3  # below this level (RMS) there is noise rather than speech: do not amplify it any further
_LEVEL_FRAME = SAMPLE_RATE // 50  # 20 ms
_BLOCK = 1024 * _LEVEL_FRAME  # samples looked at together
_ACTIVE = 10 ** (-15.9 / 10)  # energy of speech pauses against speech, the margin of ITU-T P.56


@dataclass(frozen=True, eq=False)
class Speech:
    """The sound of a clip, mono.

    samples: float32 (N,), read only, nominally −1..1; sample 0 is heard at the clip's time 0.
    level: RMS of the parts where somebody speaks, 0 for silence. Those are the pieces of 20 ms that are within 15.9 dB
        of the loud ones (the 95th percentile), so that pauses do not count (as in ITU-T P.56).
    sample_rate: 16,000 Hz.
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
        """Mix and resample sound that arrives piece by piece.

        Args:
            blocks: back to back, all of one rate.

        Returns:
            The whole sound, mapped from a nameless temporary file.

        Raises:
            OutputError: the folder for temporary files is full.
        """
        try:
            # nameless, so nothing is left behind; its pages leave memory again when that is needed
            with tempfile.TemporaryFile(prefix="thfem") as file:
                count = 0
                for block in resample_blocks(map(_finite_mono, blocks), SAMPLE_RATE):
                    samples = np.ascontiguousarray(block.samples[0])
                    file.write(samples.data)
                    count += len(samples)
                file.flush()
                level = _active_level(file)
                samples = np.memmap(file, np.float32, "r", shape=(count,)) if count else np.zeros(0, np.float32)
        except av.error.FFmpegError:
            raise  # some are OSErrors too, but not of this file
        except OSError as error:
            raise OutputError(
                f"the sound cannot be kept in the folder for temporary files ({error.strerror or error}); free some "
                "space there, or set TMPDIR to another one"
            ) from error
        return cls(samples, level)

    @classmethod
    def from_sound(cls, sound: Sound) -> Speech:
        """Mix and resample sound in memory, of any rate and number of channels."""
        return cls.from_blocks(sound.blocks())

    @classmethod
    def from_file(
        cls,
        media: MediaSource,
        *,
        start: Fraction = Fraction(0),
        duration: Fraction | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> Speech | None:
        """Read the speech of a video or sound file (see :func:`..media.sound_file.file_sound_blocks`).

        Args:
            media: path or bytes of the file.
            start: where to begin, in seconds.
            duration: how much to read, in seconds; None = to the end.
            warn: is told in one line why nothing of a track can be used; by default the line is logged.

        Returns:
            The speech; None where there is no sound track, or none that decodes.

        Raises:
            InputError: the file cannot be opened.
            OutputError: the folder for temporary files is full.
        """
        speech = cls.from_blocks(file_sound_blocks(media, start=start, duration=duration, warn=warn))
        return speech if len(speech.samples) else None

    @classmethod
    def from_video(cls, video: Video, *, warn: Callable[[str], None] | None = None) -> Speech | None:
        """Read the speech of a clip; None where it has none (then ``warn`` is told why, if there is a sound track)."""
        speech = cls.from_blocks(video.sound_blocks(warn=warn))
        return speech if len(speech.samples) else None


def _finite_mono(block: Sound) -> Sound:
    mono = block.mono()
    np.nan_to_num(mono.samples, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return mono


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
