"""EAMM's networks against goldens of the published code, on weights filled by formula."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from filled import assert_close, assert_statistics, golden, image, inp, manifests
from torch import nn
from torch.nn import functional as F

from thfem_core.talking_head.eamm.audio_features import AudioFeatures
from thfem_core.talking_head.eamm.emotion_displacement import displace
from thfem_core.talking_head.eamm.generator import Generator
from thfem_core.talking_head.eamm.keypoint_detectors import AffineKeypoints
from thfem_core.talking_head.eamm.networks import CHECKPOINT_NETWORKS, OPTIONAL_NETWORKS
from thfem_core.talking_head.eamm.one_euro import EMOTION, KEYPOINT, OneEuroFilter

NETWORKS = {**CHECKPOINT_NETWORKS, **OPTIONAL_NETWORKS}
pytestmark = pytest.mark.usefixtures("no_gradients")


@pytest.fixture(scope="module")
def networks(eamm_network: Callable[[str], nn.Module]) -> dict[str, nn.Module]:
    return {name: eamm_network(name) for name in NETWORKS}


@pytest.mark.parametrize("name", NETWORKS)
def test_state_dict_is_the_published_one(name: str) -> None:
    with torch.device("meta"):
        network = NETWORKS[name]()
    manifest = manifests()[f"eamm_{name}"]
    assert {key: list(tensor.shape) for key, tensor in network.state_dict().items()} == manifest["keys"]
    assert sum(parameter.numel() for parameter in network.parameters()) == manifest["parameters"]


@pytest.mark.parametrize("name", ["kp_detector", "kp_detector_a"])
def test_keypoint_detectors(name: str, networks: dict) -> None:
    stored = golden(f"eamm_{name}")
    network = networks[name]
    features = network.features(image("source")) if name == "kp_detector" else inp("eamm.fmap", (2, 35, 64, 64))
    heat = network.heat(features)
    assert_close(heat[:, :, ::4, ::4], stored["heatmap_s"])
    assert_statistics(heat, stored, "heatmap")
    keypoints = network.read(features)
    assert_close(keypoints.value, stored["value"])
    assert_close(keypoints.jacobian, stored["jacobian"])


def audio_features(network: AudioFeatures) -> torch.Tensor:
    return network(image("source"), inp("eamm.mfcc", (1, 5, 28, 12))[0], inp("eamm.pose", (1, 5, 6))[0])


def test_audio_features(networks: dict) -> None:
    stored = golden("eamm_audio_feature")
    features = audio_features(networks["audio_feature"])[None]
    assert_close(features[:, :, ::4, ::8, ::8], stored["deco_out_s"])
    assert_statistics(features, stored, "deco_out")


def test_recurrence_goes_on_where_it_stopped(networks: dict) -> None:
    network: AudioFeatures = networks["audio_feature"]
    code, steps = network.image_code(image("source")), torch.rand(7, 512)
    whole, _ = network.recur(code, steps)
    first, state = network.recur(code, steps[:3])
    second, _ = network.recur(code, steps[3:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole)


def test_emotion_network(networks: dict) -> None:
    stored, given = golden("eamm_emo_detector"), golden("eamm_kp_detector_a")
    keypoints = AffineKeypoints(*(torch.from_numpy(given[name]) for name in ("value", "jacobian")))
    emotion = networks["emo_detector"](image("emo", 2), keypoints)
    assert_close(emotion.value, stored["value"], tolerance=3e-3)
    assert_close(emotion.jacobian, stored["jacobian"], tolerance=3e-3)
    assert_close(emotion.logits, stored["fake"])
    assert_close(emotion.feature, stored["feature"])


def test_generator(networks: dict) -> None:
    stored = golden("eamm_generator")
    network: Generator = networks["generator"]
    value, eye = inp("eamm.kps", (1, 10, 2), 0.4), torch.eye(2)
    source = AffineKeypoints(value, eye + inp("eamm.js", (1, 10, 2, 2), 0.1))
    driving = AffineKeypoints(value + inp("eamm.kpd", (2, 10, 2), 0.05), eye + inp("eamm.jd", (2, 10, 2, 2), 0.1))
    appearance = network.encode(image("source"))
    motion = network.motion(appearance, source, driving)
    prediction = network.draw(appearance, motion)
    grid = F.interpolate(motion.deformation.permute(0, 3, 1, 2), size=image("source").shape[2:], mode="bilinear")
    warped = F.grid_sample(image("source").expand(2, -1, -1, -1), grid.permute(0, 2, 3, 1), align_corners=False)
    assert_close(motion.occlusion[:, :, ::2, ::2], stored["occlusion_s"])
    assert_close(motion.mask[:, :, ::8, ::8], stored["mask_s"])
    assert_close(warped[:, :, ::8, ::8], stored["deformed_s"], tolerance=1e-3)
    assert_close(prediction[:, :, ::4, ::4], stored["prediction_s"], tolerance=1e-3)
    assert_close(prediction[:, :, 112:144, 112:144], stored["prediction_crop"], tolerance=1e-3)
    assert_statistics(prediction, stored, "prediction")
    assert_statistics(motion.warped, stored, "sparse_deformed")


def test_discriminator(networks: dict) -> None:
    assert_close(networks["discriminator"](image("source"))[1], golden("eamm_discriminator")["prediction_map"])


@pytest.mark.parametrize(("name", "config"), [("emotion", EMOTION), ("keypoint", KEYPOINT)])
def test_one_euro_filter(name: str, config) -> None:
    stored = golden("frontend_oneeuro")
    smooth = OneEuroFilter(config)
    np.testing.assert_allclose(np.stack([smooth(x) for x in stored["x"]]), stored[name], atol=1e-9)


def test_a_window_of_five_frames(networks: dict) -> None:
    stored = golden("eamm_pipeline_n5")
    source = networks["kp_detector"](image("source"))
    audio = networks["kp_detector_a"](audio_features(networks["audio_feature"]))
    emotion = networks["emo_detector"](image("emo5", 5), audio)

    def smoothed(sequence: torch.Tensor, config) -> torch.Tensor:
        smooth = OneEuroFilter(config)
        return torch.from_numpy(np.stack([smooth(x.numpy()) for x in sequence])).float()

    driving = displace(
        AffineKeypoints(*(smoothed(x, KEYPOINT) for x in audio)),
        AffineKeypoints(smoothed(emotion.value, EMOTION), smoothed(emotion.jacobian, EMOTION)),
    )
    assert_close(driving.value, stored["kp_driving"], tolerance=1e-3)
    assert_close(driving.jacobian, stored["jacobian"], tolerance=1e-3)
    generator: Generator = networks["generator"]
    appearance = generator.encode(image("source"))
    prediction = torch.cat([generator(appearance, source, driving.rows(slice(i, i + 1))) for i in range(5)])
    assert_close(prediction[:, :, ::8, ::8], stored["prediction_s"], tolerance=1e-3)
    assert_statistics(prediction, stored, "prediction")
