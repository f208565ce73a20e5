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
    """One of the 11 steps of time that EAT looks at for a drawn frame.

    pose: Frame whose head pose counts.
    row: Row of DeepSpeech's logits (50 per second) in the middle of the 16 that count; may lie between rows.
    """

    pose: int
    row: Fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """Finds the sound and the head poses that belong to a frame.

    frame_rate: Frames per second of the clip.
    timing: See :data:`.back_end.Timing`.
    """

    frame_rate: Fraction
    timing: Timing = "exact"

    @property
    def reach(self) -> int:
        """Frames before and after a drawn one from which poses are read."""
        return CENTRE + 1 if self.timing == "thfem-compat" else ceil(CENTRE * self.frame_rate / _EAT_RATE)

    def steps(self, frame: int) -> list[Step]:
        """The 11 steps around a frame; some may lie outside the clip."""
        offsets = range(-CENTRE, STEPS - CENTRE)
        if self.timing == "thfem-compat":
            return [Step(pose=frame + k - 1, row=Fraction(2 * (frame + k))) for k in offsets]
        start, rate = frame_time(frame, self.frame_rate), self.frame_rate / _EAT_RATE
        return [Step(pose=floor(frame + k * rate + Fraction(1, 2)), row=start * _ROWS + 2 * k) for k in offsets]

    def mel(self, speech: Speech, frames: Sequence[int]) -> Tensor:
        """Log-mel windows of N frames: float32 (N, 1, 80, 11), with silence outside the sound."""
        if self.timing == "thfem-compat":
            count = 1 + len(speech.samples) // EAT_COMPAT.hop_length
            windows = eat_windows(speech, frames, count, profile=EAT_COMPAT, reach=CENTRE, outside=EAT_COMPAT.silence)
        else:
            times = [frame_time(frame, self.frame_rate) for frame in frames]
            windows = audio_windows(speech, times, profile=EAT, steps=STEPS, normalise=False)
        return windows.transpose(1, 2)[:, None]


def speech_window(logits: np.ndarray, row: Fraction, silence: np.ndarray) -> np.ndarray:
    """Cut 16 rows out of logits.

    Args:
        logits: (n, 29), 50 rows per second.
        row: The middle of the window; between rows, logits are interpolated linearly.
        silence: (16, 29), the window where ``row`` lies outside the clip.

    Returns:
        float32 (16, 29), with zeros beyond the ends.
    """
    if not 0 <= row < len(logits):
        return silence
    first = floor(row)
    share = np.float32(row - first)
    index = first - _BEFORE + np.arange(_WINDOW + 1)
    inside = (index >= 0) & (index < len(logits))
    rows = np.where(inside[:, None], logits[np.clip(index, 0, len(logits) - 1)], 0).astype(np.float32)
    return (1 - share) * rows[:-1] + share * rows[1:]


def speech_windows(logits: np.ndarray, rows: Sequence[Fraction], silence: np.ndarray) -> Tensor:
    """Cut a window around each of N rows, see :func:`speech_window`: float32 (N, 16, 29)."""
    return torch.from_numpy(np.stack([speech_window(logits, row, silence) for row in rows]).astype(np.float32))
