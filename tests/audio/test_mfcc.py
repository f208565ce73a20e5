"""Cepstra against python_speech_features and the input of EAMM."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_speech import voice

from thfem_core.audio.mfcc import mfcc, mfcc_at
from thfem_core.audio.speech import Speech
from thfem_core.talking_head.eamm.session import mfcc_windows


def test_the_reference_cepstra(goldens) -> None:
    np.testing.assert_allclose(mfcc(goldens["pcm"], step=160), goldens["mfcc"], atol=1e-6)


def test_the_windows_of_eamm(goldens) -> None:
    windows = mfcc_windows(Speech(voice(), 0.1), range(49), Fraction(25)).numpy()
    expected = goldens["eamm_mfcc_windows"]
    np.testing.assert_allclose(windows[:48:8], expected[:-1], atol=1e-4)
    # the published code emphasises the zero behind the last sample: rows that see little else differ from silence
    np.testing.assert_allclose(windows[48, :18], expected[-1, :18], atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(count=st.integers(0, 3000), step=st.integers(1, 700))
def test_every_sample_is_heard(count: int, step: int) -> None:
    rows = mfcc(voice()[:count], step=step)
    assert np.isfinite(rows).all() and rows.shape == (1 + max(0, -(-(count - 400) // step)), 13)


@given(factor=st.floats(0.01, 100))
@settings(max_examples=10, deadline=None)
def test_loudness_is_in_the_first_coefficient_alone(factor: float) -> None:
    plain, scaled = (
        mfcc(voice(), step=640)[:50],
        mfcc(voice().astype(np.float64) * factor, step=640)[:50],
    )  # the last row is silence
    np.testing.assert_allclose(scaled[:, 1:], plain[:, 1:], atol=1e-6)
    np.testing.assert_allclose(scaled[:, 0] - plain[:, 0], 2 * np.log(factor), atol=1e-6)


def test_rows_anywhere_equal_rows_on_the_grid() -> None:
    starts = np.array([1600, 0, 31_000, 5333])
    rows = mfcc_at(voice(), starts)
    for row, start in zip(rows, starts, strict=True):
        # the sample before is heard through the pre-emphasis
        lead = min(start, 1)
        own = mfcc_at(voice()[start - lead : start + 400], np.array([lead]))
        np.testing.assert_allclose(row, own[0], atol=1e-9)
    beyond = mfcc_at(voice(), np.array([-400, 32_000]))
    np.testing.assert_allclose(beyond, np.repeat(mfcc(np.zeros(400), step=160), 2, axis=0))


def test_a_step_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        mfcc(voice(), step=0)
