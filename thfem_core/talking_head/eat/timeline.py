"""Which sound and which head pose belong to a drawn frame and the five steps before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import numpy as np
import torch
from torch import Tensor

from ...audio.profile import EAT, EAT_COMPAT
from ...audio.speech import Speech
from ...audio.window import audio_windows, eat_windows
from ...media.timing import frame_time
from .audio_to_keypoints import CENTRE, STEPS
from .back_end import Timing

_EAT_RATE = 25
_ROWS = 50  # of DeepSpeech, per second
_WINDOW, _BEFORE = 16, 8  # rows of a step, and how many of them lie before its moment


@dataclass(frozen=True, slots=True)
class Step:
    """pose: frame whose head pose counts. row: of DeepSpeech's logits, in the middle of the 16 that are heard."""

    pose: int
    row: Fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """frame_rate: of the clip."""

    frame_rate: Fraction
    timing: Timing = "exact"

    @property
    def reach(self) -> int:
        """How many frames before and after a drawn one its poses are read from."""
        return CENTRE + 1 if self.timing == "thfem-compat" else ceil(CENTRE * self.frame_rate / _EAT_RATE)

    def steps(self, frame: int) -> list[Step]:
        """The 11 steps of ``frame``; may lie outside the clip."""
        offsets = range(-CENTRE, STEPS - CENTRE)
        if self.timing == "thfem-compat":
            return [Step(pose=frame + k - 1, row=Fraction(2 * (frame + k))) for k in offsets]
        start, rate = frame_time(frame, self.frame_rate), self.frame_rate / _EAT_RATE
        return [Step(pose=floor(frame + k * rate + Fraction(1, 2)), row=start * _ROWS + 2 * k) for k in offsets]

    def mel(self, speech: Speech, frames: Sequence[int]) -> Tensor:
        """float32 (N, 1, 80, 11); silence outside the sound."""
        if self.timing == "thfem-compat":
            count = 1 + len(speech.samples) // EAT_COMPAT.hop_length
            windows = eat_windows(speech, frames, count, profile=EAT_COMPAT, reach=CENTRE, outside=EAT_COMPAT.silence)
        else:
            times = [frame_time(frame, self.frame_rate) for frame in frames]
            windows = audio_windows(speech, times, profile=EAT, steps=STEPS, normalise=False)
        return windows.transpose(1, 2)[:, None]


def speech_window(logits: np.ndarray, row: Fraction, silence: np.ndarray) -> np.ndarray:
    """float32 (16, 29): the rows around ``row`` of logits (n, 29), between rows by linear interpolation, zeros beyond
    the ends; ``silence`` (16, 29) where ``row`` itself lies outside."""
    if not 0 <= row < len(logits):
        return silence
    first = floor(row)
    share = np.float32(row - first)
    wanted = first - _BEFORE + np.arange(_WINDOW + 1)
    inside = (wanted >= 0) & (wanted < len(logits))
    rows = np.where(inside[:, None], logits[np.clip(wanted, 0, len(logits) - 1)], 0).astype(np.float32)
    return (1 - share) * rows[:-1] + share * rows[1:]


def speech_windows(logits: np.ndarray, rows: Sequence[Fraction], silence: np.ndarray) -> Tensor:
    """:func:`speech_window` of each of ``rows``: float32 (N, 16, 29)."""
    return torch.from_numpy(np.stack([speech_window(logits, row, silence) for row in rows]).astype(np.float32))
