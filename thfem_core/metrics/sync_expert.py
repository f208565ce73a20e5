"""Experts that judge whether lips and sound belong together, and the score of a clip by one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, groupby
from typing import Protocol

import numpy as np
import torch

from ..audio.speech import Speech
from ..errors import InputError
from ..media.frame import Frame
from ..registry import Registry
from .pairing import at_rate
from .sync import MAX_SHIFT, SyncCurve, SyncScore

RATE = 25  # frames per second at which every expert looks

# A frame and the landmarks (478, 3) of the face in it, in pixels.
SeenFace = tuple[Frame, np.ndarray]


class SyncExpert(Protocol):
    """A loaded expert. window: frames it looks at together. title: name for people. zero_padded: beyond the clip's ends
    the sound counts as rows of zeros, as in SyncNet's published protocol, or, if False, not at all."""

    name: str
    title: str
    official: bool
    window: int
    zero_padded: bool

    def lip_rows(self, faces: Iterable[SeenFace]) -> Iterator[torch.Tensor]:
        """Consecutive frames at 25 per second of one face → blocks of rows (n, D), one row per window of frames; row i
        begins with frame i. T faces give max(T − window + 1, 0) rows."""
        ...

    def sound_rows(self, speech: Speech, first: int, stop: int) -> torch.Tensor:
        """Rows (stop − first, D) of the sound of the windows that begin with frames [first, stop)."""
        ...


# name → (*, device, folders=(), download=True, progress=silent) -> SyncExpert; raises WeightsError
sync_experts: Registry[SyncExpert] = Registry("sync expert", package=__package__ or "thfem_core.metrics")
sync_experts.register("syncnet", ".extractors.syncnet:load_syncnet")
sync_experts.register("thfem-sync", ".extractors.mouth_sync:load_mouth_sync")

OFFICIAL = ("syncnet",)


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
    """LSE-D, LSE-C and offset of one face through a clip.

    faces: every frame in order, with NaN landmarks where there is no face (such frames end a run of windows). frames:
    how many there are, at ``frame_rate``. The mean is over all windows of all runs. Raises InputError where no window
    has both lips and sound, and where there is nothing to hear.
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
