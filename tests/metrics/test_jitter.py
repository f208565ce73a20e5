"""Jitter: invariant to the camera, proportional to noise, blind to lips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_face import moved, talking_face

from thfem_core.face.mesh.topology import LIPS
from thfem_core.metrics.jitter import added_jitter, jitter, jitter_ratio


def shaken(face: np.ndarray, amount: float, seed: int = 1) -> np.ndarray:
    return face + np.random.default_rng(seed).normal(scale=amount, size=face.shape)


@settings(max_examples=25, deadline=None)
@given(angle=st.floats(-3.1, 3.1), scale=st.floats(0.05, 20), x=st.floats(-2000, 2000), y=st.floats(-2000, 2000))
def test_jitter_does_not_see_the_camera(angle: float, scale: float, x: float, y: float) -> None:
    face = shaken(talking_face(12), 0.5)
    elsewhere = moved(face, angle, scale, (x, y))
    assert jitter(elsewhere) == pytest.approx(jitter(face), rel=1e-4)
    assert added_jitter(face, elsewhere) == pytest.approx(0.0, abs=1e-3)


def test_a_clip_is_as_steady_as_itself() -> None:
    face = shaken(talking_face(20), 0.5)
    assert jitter_ratio(face, face) == 1.0
    assert added_jitter(face, face) == pytest.approx(0.0, abs=1e-9)


def test_jitter_grows_in_proportion_to_noise_and_ignores_steady_motion() -> None:
    still = np.repeat(talking_face(1), 40, axis=0)
    gliding = still + np.arange(40.0)[:, None, None]
    assert jitter(gliding) == pytest.approx(0.0, abs=1e-9)
    assert jitter(shaken(still, 1.0)) == pytest.approx(4 * jitter(shaken(still, 0.25)), rel=0.02)
    assert np.isnan(jitter_ratio(still, shaken(still, 1.0)))


def test_a_flickering_edit_is_seen_where_head_motion_drowns_it() -> None:
    rng = np.random.default_rng(3)
    head = talking_face(60) + np.cumsum(rng.normal(scale=4.0, size=(60, 1, 3)), axis=0)
    edited = head.copy()
    edited[::2, 200:300, 1] += 1.0
    assert jitter_ratio(head, edited) < 1.1
    assert added_jitter(head, edited) > 0.3


def test_lips_and_missing_frames_do_not_count() -> None:
    face = shaken(talking_face(30), 0.2)
    other = face.copy()
    other[:, LIPS] += np.random.default_rng(2).normal(scale=20.0, size=(30, len(LIPS), 3))
    assert jitter(other) == jitter(face)
    other[10:13] = np.nan
    assert np.isfinite(jitter(other))
    assert np.isnan(jitter(face[:2]))
