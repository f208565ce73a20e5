"""Speech with known phones: recordings aligned with their words, and a synthesiser with real voices."""

from __future__ import annotations

import io
import re
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from .phones import phone_number

RATE = 16000
FLITE_VOICES = ("slt", "rms", "awb")


@dataclass(frozen=True, kw_only=True, slots=True)
class Utterance:
    """speaker: who. samples: (N,) int16 at 16 kHz. borders: (P + 1,) seconds; phones: (P,) positions in PHONES."""

    speaker: str
    samples: np.ndarray
    borders: np.ndarray
    phones: np.ndarray


def read_wave(data: bytes) -> np.ndarray:
    """A mono 16-bit WAV file's bytes → samples at 16 kHz."""
    with wave.open(io.BytesIO(data)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        rate = file.getframerate()
    return samples if rate == RATE else soxr.resample(samples, rate, RATE)


class Aligner:
    """Words' phones laid along a recording by PocketSphinx' acoustic model (``pip install pocketsphinx``)."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        self._decoder = Decoder(lm=None, loglevel="FATAL")

    def align(self, speaker: str, samples: np.ndarray, text: str) -> Utterance | None:
        """None where the words are unknown or do not fit the sound."""
        decoder = self._decoder
        try:
            decoder.set_align_text(text.lower())
            self._hear(samples)
            if decoder.hyp() is None:
                return None
            decoder.set_alignment()
            self._hear(samples)
            entries = [(p.name, p.start, p.duration) for word in decoder.get_alignment() for p in word]
        except (RuntimeError, TypeError):
            return None
        finally:
            if decoder.n_frames() < 0:  # pragma: no cover
                decoder.end_utt()
        if not entries:
            return None
        borders = [start for _, start, _ in entries] + [entries[-1][1] + entries[-1][2]]
        phones = [phone_number(name) for name, _, _ in entries]
        return Utterance(speaker=speaker, samples=samples, borders=np.array(borders) / 100, phones=np.array(phones))

    def _hear(self, samples: np.ndarray) -> None:
        self._decoder.start_utt()
        try:
            self._decoder.process_raw(samples.tobytes(), full_utt=True)
        finally:
            self._decoder.end_utt()


def speechocean(folder: Path, per_speaker: int) -> Iterator[tuple[str, bytes, str]]:
    """(speaker, WAV bytes, words) of the corpus speechocean762 (250 adults and children), a git clone, bare or not."""
    git = ["git", "-C", str(folder)]
    counts: dict[str, int] = {}
    for split in ("train", "test"):
        text = subprocess.run([*git, "show", f"HEAD:{split}/text"], capture_output=True, text=True, check=True).stdout
        who = subprocess.run([*git, "show", f"HEAD:{split}/utt2spk"], capture_output=True, text=True, check=True).stdout
        speakers = dict(line.split() for line in who.splitlines() if line.strip())
        for line in text.splitlines():
            utterance, _, words = line.partition("\t")
            speaker = speakers[utterance]
            if counts.get(speaker, 0) >= per_speaker:
                continue
            counts[speaker] = counts.get(speaker, 0) + 1
            path = f"HEAD:WAVE/SPEAKER{speaker}/{utterance}.WAV"
            yield speaker, subprocess.run([*git, "show", path], capture_output=True, check=True).stdout, words


def flite(text: str, voice: str, stretch: float) -> Utterance:
    """Spoken by Flite (``apt-get install flite``). stretch: of the durations."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        settings = ["-voice", voice, "--setf", f"duration_stretch={stretch:.2f}"]
        durations = subprocess.run(
            ["flite", *settings, "-psdur", "-t", text, "-o", file.name], capture_output=True, text=True, check=True
        ).stdout
        samples = read_wave(Path(file.name).read_bytes())
    spans = re.findall(r"(\S+):([\d.]+)", durations)
    borders = np.array([0.0] + [float(end) for _, end in spans])
    phones = np.array([phone_number(name, "festival") for name, _ in spans])
    return Utterance(speaker=f"flite-{voice}", samples=samples, borders=borders, phones=phones)
