"""LivePortrait's rules between keypoints and picture, against goldens of the published pipeline."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from liveportrait_material import filled_network, golden, motion, wave

from thfem_core.expression.liveportrait.driving import (
    Driving,
    driven,
    neutral_lips,
    target_expression,
    target_rotation,
)
from thfem_core.expression.liveportrait.sliders import (
    SLIDER_MOTIONS,
    SliderOffset,
    node_keypoints,
    sample_offset,
    slider_offset,
)
from thfem_core.networks.liveportrait.corrections import Corrections, Openings, corrected
from thfem_core.networks.liveportrait.keypoints import FaceMotion
from thfem_core.networks.liveportrait.regions import EXPRESSION, EYES, FACE, LIPS
from thfem_core.networks.liveportrait.smoothing import KalmanSmoother, smooth_sequence
from thfem_core.networks.liveportrait.stitching import stitched

STORED = golden("liveportrait_pipeline")
CASES = sorted(name for name in STORED if name.startswith("drive_") and name.split("_")[1] in ("img", "img1", "vid"))
SOURCE, DRIVER = motion(3, 0.0), motion(3, 1.0)
COPIED = {"exp": "expression", "pose": "pose", "lip": "lips", "eyes": "eyes", "nolip": "face"}
MIX = {"blink": -3, "eyebrow": 4, "wink": 2, "pupil_x": -5, "pupil_y": 3, "aaa": 20, "eee": 2, "woo": -1, "smile": 0.6}
MIX |= {"rotate_pitch": 3, "rotate_yaw": 4, "rotate_roll": 1}
NODE_MIX = MIX | {"rotate_yaw": -4}
NAMES = {"eyes": "blink", "mouth": "aaa"}  # of the goldens → of the sliders


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.inference_mode():
        yield


class SmallNetworks:
    """The three small networks; nothing else is asked for."""

    stitching, lip, eye = (filled_network(name) for name in ("stitching", "lip", "eye"))


def tensor(name: str) -> torch.Tensor:
    return torch.from_numpy(STORED[name])


def openings(words: set[str], frames: list[int], source: str) -> Openings:
    eyes = tensor("drive_src_eye_ratio_b" if "b" in words else "drive_src_eye_ratio")
    driving = [0] if "one" in words else [0, 1, 2]
    return Openings(
        eyes=eyes[frames],
        lips=tensor("drive_src_lip_ratio")[frames],
        usual_eyes=float(eyes[0].mean()),
        driving_eyes=tensor("drive_drv_eye_ratio")[driving, :1],
        driving_lips=tensor("drive_drv_lip_ratio")[driving],
    )


@pytest.mark.parametrize("case", CASES)
def test_driving(case: str) -> None:
    _, source, *rest = case.split("_")
    words = set(rest)
    single, still = "one" in words, source != "vid"
    driver = DRIVER.rows([0] if single else [0, 1, 2])
    count = 1 if single and still else 3
    frames = {"img": [0] * count, "img1": [1] * count, "vid": [0, 1, 2]}[source]
    face = SOURCE.rows(frames)
    copied = next((COPIED[word] for word in COPIED if word in words), "all")
    driving = Driving(relative="rel" in words, copied=copied, single=single, still=still)
    expression = target_expression(face, driver, DRIVER.rows([0]), driving)
    rotation = target_rotation(face, driver, DRIVER.rows([0]), driving)
    if driving.smoothed:
        observation = 1e-5 if "obs" in words else 3e-7
        expression, rotation = (
            torch.from_numpy(smooth_sequence(x.numpy(), observation)).float() for x in (expression, rotation)
        )
    found = driven(face, driver, DRIVER.rows([0]), driving, expression=expression, rotation=rotation)
    corrections = Corrections(
        stitching="stitch" in words,
        close_lips="lipnorm" in words,
        steady_eyes="eyenorm" in words,
        follow_eyes=bool(words & {"eyeret", "bothret"}),
        follow_lips=bool(words & {"lipret", "bothret"}),
        gain=0.7 if "mult" in words else 1.0,
    )
    points = corrected(
        SmallNetworks(),
        face.keypoints(),
        found.keypoints(),
        corrections,
        openings(words, frames, source),
        relative=driving.relative,
    )
    np.testing.assert_allclose(points.numpy(), STORED[case], atol=2e-6)


def test_source_keypoints() -> None:
    np.testing.assert_allclose(SOURCE.rows([0]).keypoints().numpy(), STORED["drive_x_s_img"], atol=2e-6)
    np.testing.assert_allclose(SOURCE.keypoints().numpy(), STORED["drive_x_s_vid"], atol=2e-6)
    np.testing.assert_array_equal(neutral_lips().numpy(), STORED["lip_array"])


def test_lips_may_be_kept_from_stitching() -> None:
    points = SOURCE.keypoints() + 0.01
    kept = corrected(SmallNetworks(), SOURCE.keypoints(), points, Corrections(keep_lips=True))
    moved = corrected(SmallNetworks(), SOURCE.keypoints(), points, Corrections())
    lips = LIPS.any(dim=1)
    assert torch.equal(kept[:, lips], points[:, lips]) and torch.equal(kept[:, ~lips], moved[:, ~lips])


def test_regions() -> None:
    assert EXPRESSION.sum() == 13 * 3 + 6 and LIPS.sum() == 18 and EYES.sum() == 15
    assert torch.equal(FACE | LIPS, EXPRESSION) and not (FACE & LIPS).any()


def test_smoothing() -> None:
    frames = motion(12, 0.4)
    noisy = frames.expression.numpy() + 0.004 * wave((12, 1, 21, 3))[:, 0].numpy()
    for name, observation in (("", 3e-7), ("_1e-6", 1e-6), ("_1e-4", 1e-4)):
        np.testing.assert_allclose(smooth_sequence(noisy, observation), STORED[f"kalman_exp{name}"], atol=2e-6)
    np.testing.assert_allclose(smooth_sequence(noisy[:2], 1e-5), STORED["kalman_n2"], atol=2e-6)
    np.testing.assert_allclose(smooth_sequence(frames.rotation.numpy(), 1e-5), STORED["kalman_R"], atol=2e-6)
    prior = smooth_sequence(noisy, 1e-5, prior=1e-5)
    np.testing.assert_allclose(prior, STORED["kalman_prior_r_1e-5"], atol=2e-6)
    for name, observation in (("1e-5", 1e-5), ("3e-7", 3e-7)):
        np.testing.assert_allclose(smooth_sequence(np.eye(12), observation), STORED[f"kalman_matrix_{name}"], atol=2e-6)


@settings(max_examples=30, deadline=None)
@given(observation=st.sampled_from([0.0, 3e-7, 1e-6, 1e-5, 1e-4]), length=st.integers(1, 200), seed=st.integers(0, 9))
def test_the_stream_is_the_whole(observation: float, length: int, seed: int) -> None:
    """With enough look-ahead every value is that of a smoother which sees the whole sequence."""
    values = np.random.default_rng(seed).normal(size=(length, 3))
    whole = KalmanSmoother(observation)
    whole.lookahead = length + 1
    for value in values:
        assert whole.push(value) is None
    found = smooth_sequence(values, observation)
    assert len(found) == length
    np.testing.assert_allclose(found, np.stack(whole.finish()), atol=1e-6)
    if observation == 0:
        np.testing.assert_allclose(found, values, atol=1e-12)


@pytest.mark.parametrize("name", [n.removeprefix("exp_") for n in golden("sliders") if n.startswith("exp_")])
def test_sliders(name: str) -> None:
    stored = golden("sliders")
    stem = name.removesuffix("_neg")
    value = -10 if name != stem else 1 if name == "smile" else 10
    offset = slider_offset(MIX if name == "mix" else {NAMES.get(stem, stem): value})
    np.testing.assert_allclose(offset.expression[None].numpy(), stored[f"exp_{name}"], atol=1e-6)
    np.testing.assert_allclose(offset.turn.numpy(), stored[f"rot_{name}"], atol=1e-6)


def test_every_slider_moves_something() -> None:
    for name in SLIDER_MOTIONS:
        for value in (-1.0, 1.0):
            offset = slider_offset({name: value})
            assert offset.expression.any() or offset.turn.any()
    assert not any(part.any() for part in slider_offset({}))


@pytest.mark.parametrize(
    ("case", "sliders", "part", "ratio"),
    [
        ("plain", {}, None, 1.0),
        ("mix", NODE_MIX, None, 1.0),
        ("src0.4", {}, None, 1.0),
        ("OnlyExpression", {}, "OnlyExpression", 0.8),
        ("OnlyRotation", {}, "OnlyRotation", 0.8),
        ("OnlyMouth", {}, "OnlyMouth", 0.8),
        ("OnlyEyes", {}, "OnlyEyes", 0.8),
        ("All", NODE_MIX, "All", -0.2),
    ],
)
def test_the_node_that_turns_the_expression(case: str, sliders: dict, part: str | None, ratio: float) -> None:
    face: FaceMotion = SOURCE.rows([0])
    offset = slider_offset(sliders)
    if part is not None:
        sample = sample_offset(DRIVER.rows([1]), part, ratio)
        offset = SliderOffset(offset.expression + sample.expression, offset.turn + sample.turn)
    np.testing.assert_allclose(offset.expression[None].numpy(), STORED[f"alp_e_{case}"], atol=2e-6)
    np.testing.assert_allclose(offset.turn.numpy(), STORED[f"alp_r_{case}"], atol=1e-5)
    points = node_keypoints(face, offset, kept=0.4 if case == "src0.4" else 1.0)
    np.testing.assert_allclose(points.numpy(), STORED[f"alp_x_{case}"], atol=2e-6)
    if case == "mix":
        points = stitched(SmallNetworks.stitching, face.keypoints(), points)
        np.testing.assert_allclose(points.numpy(), STORED["alp_x_mix_stitch"], atol=2e-6)
