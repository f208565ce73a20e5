"""Dynamic time warping of two feature sequences, by the rule THFEM pairs its training clips with."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import librosa
import numpy as np
from scipy.spatial.distance import cdist

from ..errors import InputError

# diagonal, first sequence alone, second alone: of equal costs the earlier step wins
_STEPS = np.array([[1, 1], [1, 0], [0, 1]])
# pairs of rows to compare at most; each needs about 28 bytes while the path is sought
MOST_PAIRS = 40_000_000


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class WarpingPath:
    """How two sequences of features go together, step by step from their first rows to their last.

    first: int (P,), rows of the first sequence, never going back.
    second: int (P,), the rows of the second sequence that belong to them, never going back.
    cost: Sum of the local costs along the path.
    """

    first: np.ndarray
    second: np.ndarray
    cost: float

    @property
    def mean_cost(self) -> float:
        """Cost per step, which clips of different length can be compared by."""
        return self.cost / len(self.first)

    def matches(self) -> np.ndarray:
        """int (N,): for each row of the first sequence the earliest row of the second that it meets."""
        _, earliest = np.unique(self.first, return_index=True)
        return self.second[earliest]


def dtw_path(first: np.ndarray, second: np.ndarray, *, band: int | None = None) -> WarpingPath:
    """Find the cheapest warping of one sequence onto another (dynamic time warping, L1 between rows).

    Allowed steps are the diagonal, the first sequence alone and the second alone; of equal costs the earlier of these
    wins.

    Args:
        first: (N, F) features.
        second: (M, F) features.
        band: Rows of the second sequence by which the path may stray from the straight line between the ends (a
            Sakoe–Chiba band), widened where M is so much longer than N that the line itself skips rows; None for no
            limit.

    Returns:
        The path.

    Raises:
        InputError: N · M is above MOST_PAIRS.
        ValueError: A sequence is empty, or their features differ.
    """
    if not len(first) or not len(second) or first.shape[1:] != second.shape[1:]:
        raise ValueError(f"cannot warp {first.shape} onto {second.shape}; give (N, F) and (M, F) with N, M above 0")
    if len(first) * len(second) > MOST_PAIRS:
        raise InputError(
            f"sequences of {len(first)} and {len(second)} frames are too long to compare all with all; "
            "cut the clips into parts, at best a sentence each"
        )
    costs = cdist(first, second, "cityblock")
    if band is not None:
        costs[outside_band(len(first), len(second), band)] = np.inf
    total, path = librosa.sequence.dtw(C=costs, step_sizes_sigma=_STEPS)
    return WarpingPath(first=path[::-1, 0], second=path[::-1, 1], cost=float(total[-1, -1]))


def outside_band(first_count: int, second_count: int, band: int) -> np.ndarray:
    """Mark the pairs that a Sakoe–Chiba band forbids.

    Args:
        first_count: N, rows of the first sequence.
        second_count: M, rows of the second one.
        band: As in :func:`dtw_path`.

    Returns:
        bool (N, M), True where a pair is forbidden.

    Raises:
        ValueError: The band is negative.
    """
    if band < 0:
        raise ValueError(f"the band is {band} rows; give 0 or more")
    slope = (second_count - 1) / max(first_count - 1, 1)
    line = slope * np.arange(first_count)
    return np.abs(np.arange(second_count) - line[:, None]) > max(band, ceil(slope))
