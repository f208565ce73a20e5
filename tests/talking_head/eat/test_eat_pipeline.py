"""A window of EAT as it runs: loaded from a checkpoint, folded, with fewer multiplications, against the goldens."""

from __future__ import annotations

import pytest
import torch
from filled import EatWindow, assert_close, golden, image, inp

from thfem_core.talking_head.eat.audio_to_keypoints import STEPS
from thfem_core.talking_head.eat.head_pose import place_keypoints
from thfem_core.talking_head.eat.networks import EatNetworks
from thfem_core.talking_head.eat.session import align_positions, hull_volume

pytestmark = pytest.mark.usefixtures("no_gradients")


def test_generator(eat: EatNetworks) -> None:
    """The first of the golden's two pictures; the second is drawn by the plain network elsewhere."""
    stored = golden("eat_generator")
    prompt = torch.from_numpy(golden("eat_emotionprompt")["emoprompt"])
    source = inp("gen.kp_source", (1, 15, 3), 0.4)
    driving = source + inp("gen.kp_delta", (2, 15, 3), 0.05)[:1]
    appearance = eat.generator.encode(image("source"), prompt)
    motion = eat.generator.motion(appearance, source, driving)
    prediction = eat.generator.decoder(eat.generator.warp(appearance, motion))
    assert_close(appearance.volume[:, ::8, ::4, ::8, ::8], stored["feature_3d_s"])
    assert_close(motion.deformation[:, ::4, ::8, ::8], stored["deformation_s"][:1])
    assert_close(motion.mask[:, :, ::8, ::16, ::16], stored["mask_s"][:1])
    assert_close(prediction[:, :, ::4, ::4], stored["prediction_s"][:1], tolerance=1e-3)
    assert_close(prediction[:, :, 112:144, 112:144], stored["prediction_crop"][:1], tolerance=1e-3)


def test_audio_in_parts_is_the_whole(eat: EatNetworks) -> None:
    """Frame tokens computed once and gathered, instead of eleven times."""
    prompts = eat.prompts(EatWindow.z, EatWindow.labels)
    logits, audio = inp("prediction_map", (1, 15, 16, 64, 64)), eat.audio
    expected = torch.from_numpy(golden("eat_audio2kptransformer")["emo"])
    each = [
        audio.frame_tokens(EatWindow.pose_images[n], EatWindow.speech[n]) for n in range(len(EatWindow.pose_images))
    ]
    face = audio.face_map(logits, prompts.emotion)
    for n, tokens in enumerate(each):
        sound = audio.sound(EatWindow.mel[n : n + 1], prompts.emotion)
        assert sound.shape == (1, STEPS, 32, 64, 64)
        head = audio.head_token(EatWindow.poses.rows(slice(n, n + 1)))
        found = audio.coefficients(tokens[None], audio.face_tokens(sound, face), head, prompts.deep)
        assert_close(found, expected[n : n + 1].numpy(), tolerance=1e-5)


def test_window_of_five_frames(eat: EatNetworks) -> None:
    """From the stored expression on, since the PCA basis is not free; the last picture."""
    stored = golden("eat_pipeline_n5")
    keypoints, pose = eat.keypoints(image("source")), eat.head_pose(image("source"))
    assert_close(hull_volume(keypoints.value), stored["area"], tolerance=1e-3)
    placed = place_keypoints(keypoints.value, pose, pose.expression)
    driving = place_keypoints(keypoints.value, EatWindow.poses, torch.from_numpy(stored["exp"]))
    driving = align_positions(driving, placed)
    assert_close(placed, stored["kp_source"], tolerance=1e-3)
    assert_close(driving, stored["kp_driving"], tolerance=1e-3)
    prompts = eat.prompts(EatWindow.z, EatWindow.labels)
    appearance = eat.generator.encode(image("source"), prompts.emotion)
    prediction = eat.generator(appearance, placed, driving[4:])
    assert_close(prediction[:, :, ::8, ::8], stored["prediction_s"][4:], tolerance=1e-3)
