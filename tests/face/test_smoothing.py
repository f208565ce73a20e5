from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import savgol_filter
from synthetic_scene import Face

from thfem_core.errors import InputError
from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.tracking.smoothing import SmoothingConfig, fill_gaps, savitzky_golay, smooth_landmarks


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(1, 40),
    window=st.sampled_from([3, 5, 7, 9]),
    coefficients=st.tuples(*[st.floats(-3, 3)] * 3),
)
def test_quadratics_pass_unchanged_even_at_the_ends(length, window, coefficients):
    t = np.arange(length) / 10
    values = np.polynomial.polynomial.polyval(t, coefficients)
    np.testing.assert_allclose(savitzky_golay(values, window), values, atol=1e-9)


def test_matches_the_published_weights():
    impulse = np.zeros(21)
    impulse[10] = 1
    got = savitzky_golay(impulse, 5)[8:13]
    np.testing.assert_allclose(got, np.array([-3, 12, 17, 12, -3]) / 35)
    got = savitzky_golay(impulse, 7)[7:14]
    np.testing.assert_allclose(got, np.array([-2, 3, 6, 7, 6, 3, -2]) / 21)


@settings(max_examples=60, deadline=None)
@given(length=st.integers(9, 60), window=st.sampled_from([5, 7, 9]), seed=st.integers(0, 99))
def test_equals_scipys_filter(length, window, seed):
    values = np.random.default_rng(seed).normal(size=(length, 3, 2))
    np.testing.assert_allclose(savitzky_golay(values, window), savgol_filter(values, window, 2, axis=0), atol=1e-12)


def test_gaps_are_linear_in_time():
    values = np.full((6, 2, 3), np.nan)
    values[0], values[4], values[5] = 0.0, 8.0, 3.0
    np.testing.assert_allclose(fill_gaps(values)[:, 1, 2], [0, 2, 4, 6, 8, 3])


def walking_head(count: int = 80) -> np.ndarray:
    return np.stack(
        [Face(100 + 2 * f, 80 + np.sin(f / 8), scale=1.0, yaw=10 * np.sin(f / 20)).landmarks() for f in range(count)]
    )


def test_jitter_falls_and_nothing_lags():
    clean = walking_head()
    noisy = clean + np.random.default_rng(0).normal(0, 0.35, clean.shape).astype(np.float32)
    smooth = smooth_landmarks(noisy, canonical_mesh(), SmoothingConfig())

    def jitter(x):
        return np.diff(x[..., :2], n=2, axis=0).std()

    assert jitter(smooth) < 0.55 * jitter(noisy)
    assert np.abs(smooth - clean).mean() < 0.75 * np.abs(noisy - clean).mean()
    late = [np.abs(smooth[5:-5, 4, 0] - clean[5 - lag : 75 - lag, 4, 0]).mean() for lag in (-1, 0, 1)]
    assert late[1] == min(late)


def test_a_single_frame_of_closed_lips_survives():
    closing = walking_head()
    closing[:, 14, 1] += 12  # open lips …
    closing[40, 14, 1] -= 12  # … that meet for one frame
    smooth = smooth_landmarks(closing, canonical_mesh(), SmoothingConfig())
    opening = (smooth[:, 14, 1] - smooth[:, 13, 1]) - (closing[:, 14, 1] - closing[:, 13, 1])
    assert abs(opening[40]) < 0.3, "pixels, of a change by 12"
    assert np.abs(opening).max() < 1.2, "the frames beside it stay within what counts as noise"


def test_windows_of_one_turn_smoothing_off():
    noisy = walking_head() + np.random.default_rng(1).normal(0, 1, (80, 478, 3)).astype(np.float32)
    off = smooth_landmarks(noisy, canonical_mesh(), SmoothingConfig(pose_window=1, shape_window=1))
    np.testing.assert_allclose(off, noisy, atol=1e-3)


@pytest.mark.parametrize("bad", [{"pose_window": 4}, {"shape_window": 0}, {"noise": -1.0}])
def test_config_faults_are_named(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        SmoothingConfig(**bad)
