"""Do lips and sound go together, and with which delay? LSE-D, LSE-C and the offset (SyncNet; Wav2Lip's evaluation).

Both streams are rows of features, one per window of frames. Each lip row is compared with the sound rows up to
``max_shift`` windows before and after. Beyond the ends the sound is rows of zeros, as in the published protocol, or
rows of NaN, which do not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..errors import InputError

MAX_SHIFT = 15  # windows, of 1/25 s
_EPSILON = 1e-6  # added to each difference, as torch.nn.PairwiseDistance does


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncScore:
    """How lips and sound of a clip go together.

    distance: LSE-D, the least mean distance over all shifts; lower is better.
    confidence: LSE-C, the median of the mean distances less the least; higher is better.
    offset: Windows by which the sound must be moved to fit; positive where the sound is early.
    curve: Mean distance per shift, from −max_shift to max_shift; NaN where less than half of the windows had sound.
    windows: Lip windows that were compared.
    """

    distance: float
    confidence: float
    offset: int
    curve: tuple[float, ...]
    windows: int

    def measured(self) -> dict[str, float]:
        """The three numbers by the keys of their measures."""
        return {"lse_d": self.distance, "lse_c": self.confidence, "sync_offset": float(self.offset)}


def window_distances(lips: torch.Tensor, sound: torch.Tensor) -> torch.Tensor:
    """Euclidean distance of each window of lips to the windows of sound around it.

    Args:
        lips: Features of the lips, (N, D).
        sound: Features of the sound, (N + 2 · s, D); row i + j belongs to lip row i at shift j − s.

    Returns:
        Distances (N, 2 · s + 1).
    """
    count, shifts = len(lips), len(sound) - len(lips) + 1
    candidates = sound.unfold(0, count, 1)  # (shifts, D, N)
    difference = lips.T[None] - candidates + _EPSILON
    return difference.square().sum(dim=1).sqrt().T.reshape(count, shifts)


class SyncCurve:
    """Mean distance per shift, accumulated over blocks of lip windows: memory does not grow with the clip."""

    def __init__(self, max_shift: int = MAX_SHIFT) -> None:
        self.max_shift = max_shift
        self._sum, self._counts = np.zeros(2 * max_shift + 1), np.zeros(2 * max_shift + 1, np.int64)
        self._windows = 0

    def add(self, lips: torch.Tensor, sound: torch.Tensor) -> None:
        """Add the next windows of lips.

        Args:
            lips: Their features, (N, D).
            sound: Features of the sound from max_shift windows before to max_shift after, (N + 2 · max_shift, D).

        Raises:
            ValueError: The numbers of rows do not go together.
        """
        if len(sound) != len(lips) + 2 * self.max_shift:
            raise ValueError(f"{len(lips)} lip rows need {len(lips) + 2 * self.max_shift} sound rows, not {len(sound)}")
        if len(lips):
            distances = window_distances(lips, sound).double()
            self._sum += distances.nansum(dim=0).cpu().numpy()
            self._counts += distances.isfinite().sum(dim=0).cpu().numpy()
            self._windows += len(lips)

    def score(self) -> SyncScore:
        """Score all windows that were added.

        Returns:
            The score.

        Raises:
            InputError: There was no window.
        """
        if not self._windows:
            raise InputError("no run of frames shows a face while there is sound; give a longer talking clip")
        enough = 2 * self._counts >= self._windows
        curve = np.where(enough, self._sum / np.maximum(self._counts, 1), np.nan)
        best = int(np.nanargmin(curve))
        return SyncScore(
            distance=float(curve[best]),
            confidence=float(np.nanmedian(curve) - curve[best]),
            offset=self.max_shift - best,
            curve=tuple(curve.tolist()),
            windows=self._windows,
        )
