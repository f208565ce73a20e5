"""How well lips and sound of one face go together through a clip, as an expert judges it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain, groupby

import numpy as np
import torch

from ..audio.speech import Speech
from ..errors import InputError
from .judges.protocol import RATE, SeenFace, SyncExpert
from .pairing import at_rate
from .sync import MAX_SHIFT, SyncCurve, SyncScore


class _SoundRows:
    """The sound's rows around a moving position; before and after the clip zeros, or NaN if those are not to count."""

    def __init__(self, expert: SyncExpert, speech: Speech, count: int) -> None:
        self._expert, self._speech, self._count = expert, speech, count
        self._first, self._rows = 0, torch.empty(0)

    def between(self, first: int, stop: int) -> torch.Tensor:
        """Rows [first, stop), which must not begin before those of an earlier call."""
        low, high = max(first, 0), min(stop, self._count)
        known = self._first + len(self._rows)
        if low >= known:
            self._first, self._rows = low, self._expert.sound_rows(self._speech, low, high)
        else:
            self._rows = self._rows[low - self._first :]
            self._first = low
            if high > known:
                self._rows = torch.cat([self._rows, self._expert.sound_rows(self._speech, known, high)])
        rows = self._rows[: high - low]
        beyond = 0.0 if self._expert.zero_padded else float("nan")
        return torch.nn.functional.pad(rows, (0, 0, low - first, stop - high), value=beyond)


def clip_sync(
    faces: Iterable[SeenFace], speech: Speech, expert: SyncExpert, *, frames: int, frame_rate: Fraction
) -> SyncScore:
    """Take LSE-D, LSE-C and the delay of one face, as the mean over all windows of all runs of frames with a face.

    Args:
        faces: Every frame in order, with NaN landmarks where there is no face; such frames end a run of windows.
        speech: Sound of the clip.
        expert: Who judges.
        frames: Number of frames.
        frame_rate: Frames per second.

    Returns:
        The score.

    Raises:
        InputError: No window has both lips and sound, or the sound is silent.
    """
    if not speech.level:
        raise InputError("its sound is silent; lips and sound were not compared")
    ticks = at_rate(((face[0].time, face) for face in faces), RATE)
    shown = max(1, round(Fraction(frames) / frame_rate * RATE))
    # 16 kHz / 25 samples per frame; the last windows of a clip are left out as in the published protocol
    count = max(0, min(shown, len(speech.samples) * RATE // speech.sample_rate) - expert.window)
    curve, sound = SyncCurve(), _SoundRows(expert, speech, count)
    for present, run in groupby(enumerate(ticks), key=lambda item: bool(np.isfinite(item[1][1][0, 0]))):
        if not present:
            continue
        first, face = next(run)
        for rows in expert.lip_rows(chain([face], (seen for _, seen in run))):
            rows = rows[: max(count - first, 0)]
            if len(rows):
                curve.add(rows, sound.between(first - MAX_SHIFT, first + len(rows) + MAX_SHIFT))
            first += len(rows)
    return curve.score()
