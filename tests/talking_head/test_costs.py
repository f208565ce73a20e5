"""Sizes and costs against Table 7 of the paper.

Its parameters are those of the networks that draw (EAT without the head-pose estimator, EAMM without the emotion
network). Its "FLOPs" are multiply–accumulates, counted for unequal numbers of frames: for EAT one generated frame with
the audio network run on its whole window of five, for EAMM five frames, the source encoded anew for each. Convolutions
and matrix products are counted here, not norms, activations and poolings, hence the tolerance.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from thfem_core.talking_head.eamm import networks as eamm
from thfem_core.talking_head.eamm.keypoint_detectors import AffineKeypoints
from thfem_core.talking_head.eat import networks as eat
from thfem_core.talking_head.eat.emotion_prompt import EmotionPrompts
from thfem_core.talking_head.eat.head_pose import HeadPoseEstimate


def built(makers: dict[str, Callable[[], nn.Module]]) -> dict[str, nn.Module]:
    with torch.device("meta"):
        return {name: make().eval() for name, make in makers.items()}


def giga_macs(run: Callable[[], object]) -> float:
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() / 2e9


def millions(networks: dict[str, nn.Module]) -> float:
    return sum(parameter.numel() for network in networks.values() for parameter in network.parameters()) / 1e6


def eat_frame(networks: dict[str, nn.Module], *, frames: int) -> None:
    image, prompts = torch.empty(1, 3, 256, 256), EmotionPrompts(torch.empty(1, 128), torch.empty(1, 6, 128))
    keypoints = networks["kp_detector"](image)
    bins = [torch.empty(5, 66) for _ in range(3)]
    _, face = networks["audio2kptransformer"](
        mel=torch.empty(5, 1, 80, 11),
        speech=torch.empty(5, 11, 16, 29),
        pose_images=torch.empty(5, 11, 1, 64, 64),
        poses=HeadPoseEstimate(*bins, torch.empty(5, 3), torch.empty(5, 45)),
        logits=keypoints.logits,
        prompts=prompts,
    )
    networks["sidetuning"](face, prompts)
    for _ in range(frames):
        generator = networks["generator"]
        generator(generator.encode(image, prompts.emotion), keypoints.value, keypoints.value)


def eamm_frames(networks: dict[str, nn.Module], *, frames: int) -> None:
    image = torch.empty(1, 3, 256, 256)
    source = networks["kp_detector"](image)
    features = networks["audio_feature"](image, torch.empty(frames, 28, 12), torch.empty(frames, 6))
    driving = networks["kp_detector_a"](features)
    for number in range(frames):
        generator = networks["generator"]
        one = AffineKeypoints(driving.value[number : number + 1], driving.jacobian[number : number + 1])
        generator(generator.encode(image), source, one)


def test_parameters() -> None:
    drawing = {name: make for name, make in eat.CHECKPOINT_NETWORKS.items() if name != "he_estimator"}
    assert millions(built(drawing)) == pytest.approx(203.51, abs=0.005)
    assert millions(built(eamm.CHECKPOINT_NETWORKS)) == pytest.approx(112.76, abs=0.005)


def test_multiply_accumulates() -> None:
    networks = built(eat.CHECKPOINT_NETWORKS)
    one = giga_macs(lambda: eat_frame(networks, frames=1))
    assert one == pytest.approx(670.5, rel=0.005)
    assert giga_macs(lambda: eat_frame(networks, frames=5)) == pytest.approx(3078, rel=0.005)
    # What is drawn per frame; the rest is once per window.
    assert giga_macs(lambda: eat_frame(networks, frames=2)) - one == pytest.approx(601.6, rel=0.001)
    networks = built(eamm.CHECKPOINT_NETWORKS)
    assert giga_macs(lambda: eamm_frames(networks, frames=5)) == pytest.approx(276.1, rel=0.015)
