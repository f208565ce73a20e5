"""Utterances that training.phonetic.build gathered, and drawing them fairly over speakers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thfem_core.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """One utterance of S columns, 100 per second. mel: (S, 80). phones: (S,) positions in PHONES. shapes: (S, 3)."""

    speaker: str
    mel: np.ndarray
    phones: np.ndarray
    shapes: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class Voices:
    """Utterances and how often each is drawn: speakers ∝ √ their time."""

    utterances: tuple[Voice, ...]
    weights: np.ndarray

    @classmethod
    def load(cls, path: Path) -> Voices:
        """Raises InputError where the file is missing."""
        try:
            with np.load(path) as stored:
                arrays = {name: stored[name] for name in stored.files}
        except FileNotFoundError:
            raise InputError(
                f'there is no {path}; make it with python -m training.phonetic.build, or set phonetic = ""'
            ) from None
        ends = np.cumsum(arrays["lengths"])
        utterances = tuple(
            Voice(
                speaker=str(speaker),
                mel=arrays["mel"][end - length : end],
                phones=arrays["phones"][end - length : end],
                shapes=arrays["shapes"][end - length : end],
            )
            for speaker, length, end in zip(arrays["speakers"], arrays["lengths"], ends, strict=True)
        )
        return cls.of(utterances)

    @classmethod
    def of(cls, utterances: tuple[Voice, ...]) -> Voices:
        """Weighted as the class says."""
        time: dict[str, int] = {}
        for voice in utterances:
            time[voice.speaker] = time.get(voice.speaker, 0) + len(voice.mel)
        weights = np.array([len(voice.mel) * time[voice.speaker] ** -0.5 for voice in utterances])
        return cls(utterances=utterances, weights=weights / weights.sum())

    def draw(self, rng: np.random.Generator, columns: int) -> tuple[Voice, float]:
        """An utterance and the column where a stretch of ``columns`` begins; short ones may begin before it does."""
        voice = self.utterances[rng.choice(len(self.utterances), p=self.weights)]
        room = len(voice.mel) - columns
        return voice, float(rng.uniform(min(0, room), max(0, room)))
