"""What the mesh may and may not do: lips keep their aperture, brows stay bars, irises stay still."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_track import MadeUpTrack, talking_face

from thfem_core.expression.mesh.action_units import ACTION_UNITS, fit_mean_expression
from thfem_core.expression.mesh.brows import rigid_brow_operator
from thfem_core.expression.mesh.clip_expression import measure_expression
from thfem_core.expression.mesh.eyes import aperture_change, lid_displacement
from thfem_core.expression.mesh.plan import NEUTRAL_REFERENCE, plan_motion, plan_units, sharpened
from thfem_core.expression.mesh.presets import PRESETS, region_of
from thfem_core.expression.request import EMOTIONS, ExpressionRequest, RegionStrengths
from thfem_core.face.mesh import topology
from thfem_core.face.mesh.basis import load_basis
from thfem_core.face.mesh.lip_aperture import lip_aperture_operator, mouth_unit_gain, mouth_width

UPPER, LOWER = list(topology.INNER_LIP_UPPER), list(topology.INNER_LIP_LOWER)


def planned(emotion: str, landmarks: np.ndarray, strength: float = 1.0, **regions: float) -> np.ndarray:
    source = measure_expression(MadeUpTrack(landmarks))
    assert source is not None
    request = ExpressionRequest(emotion=emotion, regions=RegionStrengths(**regions))
    plan = plan_motion(request, source, None)
    return plan.displacements(landmarks, np.full(len(landmarks), strength))


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_inner_lip_aperture_is_the_sources(emotion: str) -> None:
    landmarks = talking_face(6)
    moved = landmarks + planned(emotion, landmarks, 1.5)
    before = landmarks[:, UPPER] - landmarks[:, LOWER]
    after = moved[:, UPPER] - moved[:, LOWER]
    np.testing.assert_allclose(after, before, atol=1e-3)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_aperture_keeper_holds_for_any_field_and_leaves_the_upper_face_alone(seed: int) -> None:
    field = np.random.default_rng(seed).normal(size=(478, 3)) * 5
    kept = lip_aperture_operator() @ field
    np.testing.assert_allclose(kept[UPPER], kept[LOWER], atol=1e-9)
    forehead = load_basis().canonical[:, 1] < 0
    np.testing.assert_allclose(kept[forehead], field[forehead], atol=1e-4)


def test_a_field_that_moves_both_lips_alike_is_untouched() -> None:
    field = np.tile([1.0, -2.0, 0.5], (478, 1))
    np.testing.assert_allclose(lip_aperture_operator() @ field, field, atol=1e-9)


def test_brows_move_as_bars() -> None:
    basis = load_basis()
    field = basis.action_units[basis.index("browInnerUp")]
    stiff = rigid_brow_operator() @ field

    def bending(f: np.ndarray) -> float:
        pairs = zip(topology.BROW_UPPER, topology.BROW_LOWER, strict=True)
        return max(float(np.abs(f[list(u)] - f[list(lo)]).max()) for u, lo in pairs)

    assert bending(stiff) < 0.35 * bending(field)
    # Translation is not bending: the operator must not damp it.
    np.testing.assert_allclose(rigid_brow_operator() @ np.ones((478, 3)), np.ones((478, 3)), atol=1e-9)


@given(st.floats(-0.8, 0.55))
@settings(max_examples=20, deadline=None)
def test_lids_scale_their_aperture_and_a_shut_eye_stays_shut(change: float) -> None:
    shapes = np.tile(load_basis().canonical, (2, 1, 1)).astype(np.float64)
    upper, lower = list(topology.EYE_UPPER[0][1:-1]), list(topology.EYE_LOWER[0][1:-1])
    shapes[1, upper] = shapes[1, lower]
    moved = shapes + lid_displacement(shapes, np.full(2, change))
    gap = moved[:, lower] - moved[:, upper]
    np.testing.assert_allclose(gap[0], (1 + change) * (shapes[0, lower] - shapes[0, upper]), atol=1e-6)
    np.testing.assert_allclose(gap[1], 0, atol=1e-6)


def test_lid_change_is_bounded_and_signed() -> None:
    one = np.ones(1)
    assert aperture_change({"eyeWide": one}) > 0 > aperture_change({"eyeSquint": one})
    assert aperture_change({"eyeBlink": 9 * one}) == -0.85


def test_open_and_rounded_mouths_take_less_smile() -> None:
    landmarks = talking_face(30)
    source = measure_expression(MadeUpTrack(landmarks))
    assert source is not None
    basis = load_basis()
    shut = basis.canonical[None]
    wide_open = shut + basis.action_units[basis.index("jawOpen")]
    rounded = shut + basis.action_units[basis.index("mouthPucker")]
    usual = float(mouth_width(shut)[0])
    allowed = [float(mouth_unit_gain(s, usual)[0]) for s in (shut, wide_open, rounded)]
    assert allowed[1] < 0.75 * allowed[0]
    assert allowed[2] < 0.75 * allowed[0]


@pytest.mark.parametrize("region", ["brows", "eyes", "cheeks", "mouth"])
def test_a_region_at_zero_keeps_its_units_still(region: str) -> None:
    landmarks = talking_face(3)
    source = measure_expression(MadeUpTrack(landmarks))
    assert source is not None
    for emotion in PRESETS:
        request = ExpressionRequest(emotion=emotion, regions=RegionStrengths(**{region: 0.0}))
        offset = plan_motion(request, source, None).offset
        mine = np.array([region_of(name) == region for name in ACTION_UNITS])
        assert not offset[mine].any()


def test_displacement_is_linear_in_strength_and_zero_at_zero() -> None:
    landmarks = talking_face(4)
    np.testing.assert_allclose(planned("happy", landmarks, 0.0), 0, atol=1e-9)
    full, half = planned("sad", landmarks, 1.0), planned("sad", landmarks, 0.5)
    np.testing.assert_allclose(half, full / 2, atol=0.02 * np.abs(full).max())


def test_a_smile_is_read_from_the_mesh() -> None:
    still, smiling = (measure_expression(MadeUpTrack(talking_face(40, smile=s))) for s in (0.0, 0.7))
    assert still is not None
    assert smiling is not None
    smile = ACTION_UNITS.index("mouthSmile")
    assert smiling.mean.activation[smile] > still.mean.activation[smile] + 0.3
    assert (smiling.mean.activation >= 0).all()


def test_reading_explains_identity_without_inventing_an_expression() -> None:
    basis = load_basis()
    rng = np.random.default_rng(5)
    for _ in range(5):
        who = np.tensordot(rng.normal(size=len(basis.identity_modes)), basis.identity_modes, axes=1)
        units = fit_mean_expression((basis.canonical + who)[None]).activation
        assert units.max() < 0.35


def test_a_clear_expression_that_the_reference_shows_too_stays_as_it_is() -> None:
    reading = measure_expression(MadeUpTrack(talking_face(40, smile=0.7)))
    assert reading is not None
    plan = plan_motion(ExpressionRequest(emotion="happy"), reading, reading)
    assert np.abs(plan.offset).max() < 0.02
    assert max(map(abs, plan.shading.values())) < 0.02
    assert (plan.dynamics == 1).all()


def test_in_doubt_the_reference_shows_something_and_the_source_does_not() -> None:
    doubtful = dict.fromkeys(EMOTIONS, 0.0) | {"neutral": 0.7, "happy": 0.3}
    assert sharpened(doubtful, neutral=NEUTRAL_REFERENCE)["happy"] > 0.9 > 0.2 > sharpened(doubtful)["happy"]


def test_a_frown_and_neutral_take_a_smile_away_and_nothing_jumps_between() -> None:
    """A face whose mesh shows a smile of .6: how much of it goes, by what is asked."""
    source = measure_expression(MadeUpTrack(talking_face(6)))
    assert source is not None
    smile = ACTION_UNITS.index("mouthSmile")
    activation = np.zeros(len(ACTION_UNITS))
    activation[smile] = 0.6
    source = replace(source, mean=replace(source.mean, activation=activation))

    def taken(**units: float) -> float:
        asked = np.array([units.get(name, 0.0) for name in ACTION_UNITS])
        return -float(plan_units(asked, {}, source, RegionStrengths()).offset[smile])

    assert taken() == taken(mouthFrown=0.8) > 1.5 * taken(browDown=1.0) > 0
    steps = np.diff([taken(mouthFrown=0.8 * share, browDown=1 - share) for share in np.linspace(0, 1, 81)])
    assert np.abs(steps).max() < 0.02


def test_lids_never_cross_however_strong_the_request() -> None:
    landmarks = talking_face(2)
    source = measure_expression(MadeUpTrack(landmarks))
    assert source is not None
    plan = plan_motion(ExpressionRequest(emotion="neutral"), source, None)
    offset = np.where(np.array(ACTION_UNITS) == "eyeBlink", 1.3, 0.0)
    moved = landmarks + replace(plan, offset=offset).displacements(landmarks, np.full(2, 1.5))
    upper, lower = list(topology.EYE_UPPER[0][1:-1]), list(topology.EYE_LOWER[0][1:-1])
    before, after = (m[:, lower] - m[:, upper] for m in (landmarks, moved))
    np.testing.assert_allclose(after, 0.15 * before, atol=1e-3)
