"""Lip measures: blind to camera and head, exact on known motions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_face import moved, talking_face

from thfem_core.errors import InputError
from thfem_core.face.mesh.lip_motion import (
    closure_recall,
    lagged_correlation,
    lip_aperture,
    lip_width,
    mouth_landmark_distance,
    mouth_motion_distance,
)
from thfem_core.face.mesh.topology import INNER_LIP_PAIRS, LIPS, MOUTH_CORNERS

ANGLES = st.floats(-3.1, 3.1)
SCALES = st.floats(0.05, 20.0)
SHIFTS = st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000))


@settings(max_examples=30, deadline=None)
@given(angle=ANGLES, scale=SCALES, shift=SHIFTS)
def test_aperture_and_width_do_not_see_camera_or_head(angle: float, scale: float, shift: tuple[float, float]) -> None:
    face = talking_face(12)
    elsewhere = moved(face, angle, scale, shift)
    np.testing.assert_allclose(lip_aperture(elsewhere), lip_aperture(face), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(lip_width(elsewhere), lip_width(face), rtol=1e-5)


def test_aperture_is_the_gap_in_percent_of_the_outer_eye_distance() -> None:
    face = np.zeros((1, 478, 3))
    face[0, 33, 0], face[0, 263, 0] = 100.0, 300.0
    for upper, lower in INNER_LIP_PAIRS:
        face[0, upper, 1], face[0, lower, 1] = 40.0, 50.0
    face[0, MOUTH_CORNERS[0], 0], face[0, MOUTH_CORNERS[1], 0] = 150.0, 250.0
    assert lip_aperture(face) == pytest.approx([5.0])
    assert lip_width(face) == pytest.approx([50.0])


@given(lag=st.integers(-5, 5), gain=st.floats(0.2, 5.0), offset=st.floats(-10, 10), seed=st.integers(0, 99))
def test_a_known_lag_is_recovered(lag: int, gain: float, offset: float, seed: int) -> None:
    signal = np.random.default_rng(seed).normal(size=80)
    source, output = signal[10:70], gain * signal[10 - lag : 70 - lag] + offset
    found = lagged_correlation(source, output)
    assert found.lag == lag
    assert found.best == pytest.approx(1.0)


def test_a_signal_agrees_with_itself_also_with_missing_frames() -> None:
    signal = np.sin(np.arange(50.0))
    signal[20:24] = np.nan
    found = lagged_correlation(signal, signal)
    assert (found.at_zero, found.best, found.lag) == (pytest.approx(1.0), pytest.approx(1.0), 0)
    assert lagged_correlation(signal, -signal).at_zero == pytest.approx(-1.0)


def test_a_still_mouth_has_no_correlation() -> None:
    found = lagged_correlation(np.zeros(30), np.sin(np.arange(30.0)))
    assert np.isnan(found.at_zero) and np.isnan(found.best) and found.lag == 0


def test_signals_that_cannot_be_correlated_are_refused() -> None:
    with pytest.raises(InputError, match="same frames"):
        lagged_correlation(np.zeros(30), np.zeros(31))
    with pytest.raises(InputError, match="too few"):
        lagged_correlation(np.zeros(12), np.zeros(12), max_lag=5)


@settings(max_examples=30, deadline=None)
@given(angle=ANGLES, scale=SCALES, shift=SHIFTS)
def test_the_same_lips_are_at_distance_zero_wherever_the_head_is(
    angle: float, scale: float, shift: tuple[float, float]
) -> None:
    face = talking_face(8)
    elsewhere = moved(face, angle, scale, shift)
    assert mouth_landmark_distance(face, elsewhere).max() < 1e-3
    assert mouth_motion_distance(face, elsewhere, inner_only=True).max() < 1e-3


def test_lips_moved_by_a_percent_of_the_eye_distance_are_at_that_distance() -> None:
    face = talking_face(6)
    eye = np.linalg.norm(face[0, 33, :2] - face[0, 263, :2])
    lowered = face.copy()
    lowered[:, LIPS, 1] += 0.03 * eye
    np.testing.assert_allclose(mouth_landmark_distance(face, lowered), 3.0, rtol=1e-4)
    np.testing.assert_allclose(mouth_motion_distance(face, lowered), 0.0, atol=1e-4)
    assert mouth_motion_distance(face, face[::-1]).mean() > 0.5


def test_missing_frames_give_nan_and_spoil_no_other_frame() -> None:
    face = talking_face(6)
    gap = face.copy()
    gap[2] = np.nan
    distance = mouth_motion_distance(face, gap)
    assert np.isnan(distance[2]) and np.nanmax(distance) < 1e-6


def test_closures_are_counted_once_and_recalled_within_a_frame() -> None:
    source = np.array([9.0, 1, 1, 9, 9, 2, 9, 9, 9, 1, 9])
    assert closure_recall(source, source) == closure_recall(source, np.roll(source, 1))
    assert closure_recall(source, source).closures == 3
    assert closure_recall(source, source).recall == 1.0
    sloppy = source.copy()
    sloppy[9] = 8.0
    assert closure_recall(source, sloppy).recall == pytest.approx(2 / 3)
    assert closure_recall(source, np.full(11, 9.0)).recall == 0.0


def test_a_mouth_that_never_closes_has_no_recall() -> None:
    found = closure_recall(np.full(5, 9.0), np.full(5, 9.0))
    assert np.isnan(found.recall) and found.closures == 0
