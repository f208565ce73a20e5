"""The warping path: the reference's own, the cheapest there is, within its band."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_speech import voice

from thfem_core.alignment.dtw import MOST_PAIRS, dtw_path, outside_band
from thfem_core.audio.mfcc import mfcc
from thfem_core.errors import InputError

# how THFEM's rule pairs the voice with itself said in 0.9 of the time, as the frames that are passed twice
FIRST_TWICE, SECOND_TWICE = (5, 10, 10, 25, 30, 44, 48, 50), (16, 61)


def test_the_path_of_the_reference() -> None:
    shorter = np.interp(np.arange(0, 32_000, 0.9), np.arange(32_000), voice()).astype(np.float32)
    path = dtw_path(mfcc(voice(), step=533), mfcc(shorter, step=533))
    np.testing.assert_array_equal(path.first, sorted([*range(61), *FIRST_TWICE]))
    np.testing.assert_array_equal(path.second, sorted([*range(67), *SECOND_TWICE]))
    assert path.cost == pytest.approx(3852.597, abs=0.4)
    assert path.mean_cost == pytest.approx(3852.597 / 69, rel=1e-4)


sequences = st.integers(1, 12).flatmap(
    lambda count: st.lists(st.lists(st.integers(0, 3), min_size=2, max_size=2), min_size=count, max_size=count)
)


def cheapest(costs: np.ndarray) -> float:
    """The textbook recursion, written plainly."""
    total = np.full((costs.shape[0] + 1, costs.shape[1] + 1), np.inf)
    total[0, 0] = 0
    for i, j in np.ndindex(costs.shape):
        total[i + 1, j + 1] = costs[i, j] + min(total[i, j], total[i, j + 1], total[i + 1, j])
    return float(total[-1, -1])


@settings(max_examples=60, deadline=None)
@given(first=sequences, second=sequences, band=st.one_of(st.none(), st.integers(0, 12)))
def test_the_path_is_the_cheapest_one_allowed(first: list, second: list, band: int | None) -> None:
    a, b = np.array(first, float), np.array(second, float)
    path = dtw_path(a, b, band=band)
    costs = np.abs(a[:, None] - b[None]).sum(axis=2)
    if band is not None:
        costs[outside_band(len(a), len(b), band)] = np.inf
    assert path.cost == cheapest(costs) == costs[path.first, path.second].sum()
    pairs = list(zip(path.first.tolist(), path.second.tolist(), strict=True))
    assert pairs[0] == (0, 0) and pairs[-1] == (len(a) - 1, len(b) - 1)
    assert all((k - i, m - j) in ((1, 1), (1, 0), (0, 1)) for (i, j), (k, m) in pairwise(pairs))
    matches = path.matches()
    assert [int(match) for match in matches] == [min(j for i, j in pairs if i == row) for row in range(len(a))]


def test_among_equal_costs_the_diagonal_comes_first() -> None:
    path = dtw_path(np.zeros((4, 1)), np.zeros((6, 1)))
    assert len(path.first) == 6 and path.second.tolist() == list(range(6))
    assert path.first.tolist() == [0, 0, 0, 1, 2, 3], "ties are decided from the end"


@settings(max_examples=40, deadline=None)
@given(first=st.integers(1, 40), second=st.integers(1, 40), band=st.integers(0, 20))
def test_a_band_always_leaves_a_way_through(first: int, second: int, band: int) -> None:
    forbidden = outside_band(first, second, band)
    assert not forbidden[0, 0] and not forbidden[-1, -1]
    path = dtw_path(np.zeros((first, 1)), np.arange(second, dtype=float)[:, None], band=band)
    line = path.first * (second - 1) / max(first - 1, 1)
    assert np.abs(path.second - line).max() <= max(band, np.ceil((second - 1) / max(first - 1, 1)))


def test_what_cannot_be_warped_is_refused() -> None:
    side = int(MOST_PAIRS**0.5) + 1
    with pytest.raises(InputError, match=r"too long.*cut"):
        dtw_path(np.zeros((side, 1)), np.zeros((side, 1)))
    for first, second in (((0, 3), (2, 3)), ((2, 3), (0, 3)), ((2, 3), (2, 4))):
        with pytest.raises(ValueError, match="give"):
            dtw_path(np.zeros(first), np.zeros(second))
    with pytest.raises(ValueError, match="0 or more"):
        dtw_path(np.zeros((2, 1)), np.zeros((2, 1)), band=-1)
