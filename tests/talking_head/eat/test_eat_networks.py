"""EAT's networks against goldens of the published code, on weights filled by formula."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from filled import (
    EatWindow,
    assert_close,
    assert_statistics,
    filled_state,
    golden,
    image,
    inp,
    manifests,
)
from torch import nn

from thfem_core.metrics.judges.wav2lip.network import Wav2LipExpert
from thfem_core.talking_head.eat.audio_to_keypoints import AudioToKeypoints
from thfem_core.talking_head.eat.emotion_prompt import EmotionPrompts
from thfem_core.talking_head.eat.generator import Generator
from thfem_core.talking_head.eat.head_pose import HeadPoseEstimate, place_keypoints
from thfem_core.talking_head.eat.networks import CHECKPOINT_NETWORKS, TRAINING_NETWORKS

NETWORKS = {**CHECKPOINT_NETWORKS, **TRAINING_NETWORKS}
Loaded = Callable[[str], nn.Module]
pytestmark = pytest.mark.usefixtures("no_gradients")


@pytest.fixture(scope="module")
def prompts() -> EmotionPrompts:
    stored = golden("eat_emotionprompt")
    return EmotionPrompts(torch.from_numpy(stored["emoprompt"]), torch.from_numpy(stored["deepprompt"]))


@pytest.fixture(scope="module")
def audio_to_keypoints(eat_network: Loaded) -> AudioToKeypoints:
    return eat_network("audio2kptransformer")


@pytest.mark.parametrize("name", NETWORKS)
def test_state_dict_is_the_published_one(name: str) -> None:
    with torch.device("meta"):
        network = NETWORKS[name]()
    manifest = manifests()[f"eat_{name}"]
    assert {key: list(tensor.shape) for key, tensor in network.state_dict().items()} == manifest["keys"]
    assert sum(parameter.numel() for parameter in network.parameters()) == manifest["parameters"]


def test_keypoint_detector(eat_network: Loaded) -> None:
    stored = golden("eat_kp_detector")
    keypoints = eat_network("kp_detector")(image("source"))
    assert_close(keypoints.value, stored["value"])
    assert_close(keypoints.logits[:, :, ::4, ::8, ::8], stored["prediction_map_s"])
    assert_statistics(keypoints.logits, stored, "prediction_map")


def test_head_pose_estimator(eat_network: Loaded) -> None:
    stored = golden("eat_he_estimator")
    pose = eat_network("he_estimator")(image("driving", 2))
    for name, tensor in zip(("yaw", "pitch", "roll", "t", "exp"), pose, strict=True):
        assert_close(tensor, stored[name])


def test_emotion_prompts(eat_network: Loaded) -> None:
    stored = golden("eat_emotionprompt")
    prompts = eat_network("emotionprompt")(EatWindow.z, EatWindow.labels)
    assert_close(prompts.emotion, stored["emoprompt"])
    assert_close(prompts.deep, stored["deepprompt"])


def test_audio_to_keypoints(audio_to_keypoints: AudioToKeypoints, prompts: EmotionPrompts) -> None:
    stored = golden("eat_audio2kptransformer")
    coefficients, face = audio_to_keypoints(
        mel=EatWindow.mel,
        speech=EatWindow.speech,
        pose_images=EatWindow.pose_images,
        poses=EatWindow.poses,
        logits=inp("prediction_map", (1, 15, 16, 64, 64)),
        prompts=prompts,
    )
    assert_close(coefficients, stored["emo"], tolerance=1e-5)
    assert_close(face[:, :, ::4, ::4], stored["face_feature_map_s"])
    assert_statistics(face, stored, "face_feature_map")
    assert_close(audio_to_keypoints.head_token(EatWindow.poses), stored["hp"])


def test_pitch_features_and_audio_encoder(audio_to_keypoints: AudioToKeypoints, prompts: EmotionPrompts) -> None:
    stored = golden("eat_audio2kp_parts")
    pitch = audio_to_keypoints.f0_model(EatWindow.mel)
    assert_close(pitch[:, ::4], stored["f0_s"])
    assert_statistics(pitch, stored, "f0")
    encoded = audio_to_keypoints.audioencoder(EatWindow.mel, pitch, prompts.emotion)
    assert_close(encoded[:, ::4, ::4], stored["audioencoder_s"])
    assert_statistics(encoded, stored, "audioencoder")


def test_emotional_deformation(eat_network: Loaded, prompts: EmotionPrompts) -> None:
    deformation = eat_network("sidetuning")(inp("ffm", (1, 32, 64, 64)), prompts)
    assert_close(deformation.expand(5, -1), golden("eat_sidetuning")["emo_exp"])


def test_keypoint_placement() -> None:
    pose = HeadPoseEstimate(
        *(inp(f"kt.{angle}", (5, 66)) for angle in ("yaw", "pitch", "roll")),
        translation=inp("kt.t", (5, 3), 0.1),
        expression=inp("kt.exp", (5, 45), 0.05),
    )
    placed = place_keypoints(inp("kt.kp", (1, 15, 3), 0.4), pose, pose.expression)
    assert_close(placed, golden("eat_keypoint_transformation")["value"])


def test_discriminator(eat_network: Loaded) -> None:
    stored = golden("eat_discriminator")
    features, scores = eat_network("discriminator")(image("source"))
    assert_close(scores, stored["prediction_map"])
    for number, feature in enumerate(features):
        assert_statistics(feature, stored, f"f{number}")


def test_sync_expert() -> None:
    """EAT is trained with Wav2Lip's."""
    stored = golden("eat_syncnet")
    with torch.device("meta"):
        expert = Wav2LipExpert()
    manifest = manifests()["eat_syncnet"]["keys"]
    assert {key: list(tensor.shape) for key, tensor in expert.state_dict().items()} == manifest
    expert.load_state_dict(filled_state(manifest), assign=True)
    sound, face = expert.eval()(inp("sync.mel", (1, 1, 80, 16)), image("sync", 5, 96)[:, :, 48:].reshape(1, 15, 48, 96))
    assert_close(sound, stored["audio"])
    assert_close(face, stored["face"])


@pytest.mark.parametrize(("sources", "frames"), [(1, 4), (3, 3)])
def test_half_precision_keeps_its_grids(sources: int, frames: int) -> None:
    """The generator in bfloat16, as on a graphics card; shapes and types only."""
    with torch.device("meta"):
        generator = Generator().eval().to(torch.bfloat16)
        images = torch.empty(sources, 3, 256, 256, dtype=torch.bfloat16)
        appearance = generator.encode(images, torch.empty(1, 128, dtype=torch.bfloat16))
        motion = generator.motion(appearance, torch.empty(sources, 15, 3), torch.empty(frames, 15, 3))
        condition = generator.warp(appearance, motion)
    assert appearance.volume.dtype == condition.dtype == torch.bfloat16
    assert {tensor.dtype for tensor in motion} == {torch.float32}
    assert generator.decoder(condition).shape == (frames, 3, 256, 256)


def test_generator(eat_network: Loaded, prompts: EmotionPrompts) -> None:
    """The second of the golden's two pictures; the first is drawn by the accelerated network elsewhere."""
    stored = {
        key: values if key.startswith(("stat", "shape")) else values[1:]
        for key, values in golden("eat_generator").items()
    }
    generator = eat_network("generator")
    source = inp("gen.kp_source", (1, 15, 3), 0.4)
    driving = source + inp("gen.kp_delta", (2, 15, 3), 0.05)[1:]
    appearance = generator.encode(image("source"), prompts.emotion)
    motion = generator.motion(appearance, source, driving)
    prediction = generator.decoder(generator.warp(appearance, motion))
    assert_close(motion.occlusion[:, :, ::2, ::2], stored["occlusion_s"])
    assert_close(motion.deformation[:, ::4, ::8, ::8], stored["deformation_s"])
    assert_close(motion.mask[:, :, ::8, ::16, ::16], stored["mask_s"])
    assert_close(appearance.volume[:, ::8, ::4, ::8, ::8], golden("eat_generator")["feature_3d_s"])
    assert_close(prediction[:, :, ::4, ::4], stored["prediction_s"], tolerance=1e-3)
    assert_close(prediction[:, :, 112:144, 112:144], stored["prediction_crop"], tolerance=1e-3)
