"""Folds from geometry and light: what is measured in a clip, and what is drawn from it."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_track import MadeUpTrack, rotation, talking_face, textured_frames

from thfem_core.expression.mesh.clip_expression import measure_expression
from thfem_core.expression.mesh.fold_maps import load_fold_maps, tangents
from thfem_core.expression.mesh.fold_shading import BRIGHTEST, DARKEST, SKIN_SLOPES, FoldShading, Skin, measure_skin
from thfem_core.expression.mesh.lighting import Light, default_light, measure_light, softplus
from thfem_core.expression.mesh.plan import plan_motion
from thfem_core.expression.request import EMOTIONS, ExpressionRequest
from thfem_core.face.mesh.surface import face_surface


def shading(emotion: str, light: Light | None = None, contrast: float = 1.0) -> FoldShading:
    source = measure_expression(MadeUpTrack(talking_face(8)))
    assert source is not None
    skin = Skin(light=light or default_light(), contrast=contrast, slopes=SKIN_SLOPES)
    return FoldShading(plan_motion(ExpressionRequest(emotion=emotion), source, None), skin)


def test_maps_hold_unit_normals_and_their_tangents() -> None:
    normal = load_fold_maps().normal
    np.testing.assert_allclose(np.linalg.norm(normal, axis=1), 1, atol=1e-3)
    for tangent in tangents(normal):
        np.testing.assert_allclose((tangent * normal).sum(axis=1), 0, atol=1e-3)
    assert (normal[:, 2] < 0).mean() > 0.9  # towards the camera


@pytest.mark.parametrize("emotion", [e for e in EMOTIONS if e != "neutral"])
def test_gain_is_limited_lies_on_the_skin_and_grows_with_strength(emotion: str) -> None:
    landmarks = talking_face(8)[0]
    folds = shading(emotion)
    none, half, full = (folds.log_gain(landmarks, strength) for strength in (0.0, 0.5, 1.0))
    np.testing.assert_allclose(none, 0, atol=1e-6)
    assert 0.01 < np.abs(half).max() < np.abs(full).max()
    assert -DARKEST <= full.min() < 0 < full.max() <= BRIGHTEST
    assert not full[~face_surface().skin].any()


def test_a_smile_draws_hollows_beside_nose_and_mouth() -> None:
    gain, place = shading("happy").log_gain(talking_face(8)[0], 1.0), face_surface().canonical
    beside = (np.abs(np.abs(place[:, 0]) - 30) < 6) & (np.abs(place[:, 1] - 55) < 8)
    assert gain[beside].min() < -0.05


def test_smooth_skin_takes_less() -> None:
    landmarks = talking_face(8)[0]
    calm, rough = (np.abs(shading("happy", contrast=c).log_gain(landmarks, 1.0)).mean() for c in (0.5, 1.0))
    assert calm < rough


def test_a_measured_light_tells_sides_apart() -> None:
    """Lambert's law from the image's right and the front, with a tenth of noise and a beard of half the brightness."""
    rng = np.random.default_rng(0)
    normals = load_fold_maps().normal
    lit = 0.3 + 0.7 * np.clip(normals @ np.array([0.7, -0.1, -0.7]), 0, None)
    seen = lit * np.where(rng.random(len(lit)) < 0.1, 0.5, 1.0) * rng.normal(1, 0.1, len(lit))
    light = measure_light(normals, seen, np.clip(-normals[:, 2], 0, 1))
    expected = lit / np.median(seen)
    facing = normals[:, 2] < -0.3
    assert np.corrcoef(light.brightness(normals)[facing], expected[facing])[0, 1] > 0.97


def test_light_turned_into_a_head_lights_as_the_head_turned_into_the_light() -> None:
    turn = rotation(30.0, 5.0, 10.0)
    normals = load_fold_maps().normal
    light = measure_light(normals, 0.5 - 0.3 * normals[:, 0], np.ones(len(normals)))
    np.testing.assert_allclose(light.turned(turn).brightness(normals), light.brightness(normals @ turn.T), atol=1e-4)


def test_faces_off_the_frame_get_typical_skin() -> None:
    frame, landmarks = textured_frames(1)[0], talking_face(1)[0]
    shape = measure_expression(MadeUpTrack(talking_face(1))).mean.shape
    skin = measure_skin([frame], [landmarks + np.float32(5000)], shape)
    np.testing.assert_array_equal(skin.slopes, SKIN_SLOPES)
    np.testing.assert_array_equal(skin.light.form, default_light().form)


def test_softplus_bends_around_zero_and_never_overflows() -> None:
    value = np.array([-100.0, -0.1, 0.0, 0.1, 100.0], np.float32)
    np.testing.assert_allclose(softplus(value, 0.1), [0, 0.0313262, 0.0693147, 0.1313262, 100], atol=1e-6)
