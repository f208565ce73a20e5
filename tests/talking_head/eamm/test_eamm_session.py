"""EAMM through a clip, from a converted file to patches."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from filled import golden, speech_wave
from moving_face import MovingTrack, assert_same_patches, clip, predicted

from thfem_core.audio.speech import Speech
from thfem_core.errors import InputError, WeightsError
from thfem_core.registry import Resources
from thfem_core.talking_head.eamm import head as eamm_head
from thfem_core.talking_head.eamm.back_end import EammOptions
from thfem_core.talking_head.eamm.convert import convert
from thfem_core.talking_head.eamm.generator import Generator
from thfem_core.talking_head.eamm.head import EammTalkingHead
from thfem_core.talking_head.eamm.keypoint_detectors import AffineKeypoints
from thfem_core.talking_head.eamm.networks import EammNetworks, load_eamm
from thfem_core.talking_head.eamm.session import mfcc_windows
from thfem_core.talking_head.head import FacePatch
from thfem_core.weights.convert import convert_files


def test_windows_in_one_call_or_many(eamm: EammNetworks) -> None:
    track = MovingTrack(4, absent=frozenset({1}))
    single = predicted(EammTalkingHead(eamm).open_face(clip(track)), track, size=2, batch=1)
    joined = predicted(EammTalkingHead(eamm).open_face(clip(track)), track, size=2, batch=5)
    assert_same_patches(joined, single)
    assert sum(isinstance(patch, FacePatch) for patches in single for patch in patches) == 3
    emotional = EammTalkingHead(eamm, options=EammOptions(emotional=True))
    moved = predicted(emotional.open_face(clip(track)), track, size=2, batch=1)
    assert any((a.rgb != b.rgb).any() for a, b in zip(moved[0], single[0], strict=True))


def test_half_precision_keeps_its_keypoints_and_grids() -> None:
    """The generator in bfloat16, as on a graphics card; shapes and types only: many processors draw a picture of it in
    minutes."""
    with torch.device("meta"):
        generator = Generator().eval().to(torch.bfloat16)
        points = AffineKeypoints(torch.empty(2, 10, 2), torch.empty(2, 10, 2, 2))
        appearance = generator.encode(torch.empty(1, 3, 256, 256, dtype=torch.bfloat16))
        motion = generator.motion(appearance, points.rows(slice(0, 1)), points)
    assert appearance.features.dtype == torch.bfloat16
    assert {tensor.dtype for tensor in motion} == {torch.float32}
    assert generator.draw(appearance, motion).shape == (2, 3, 256, 256)


def test_a_converted_file_draws_the_same(eamm_file: Path, eamm: EammNetworks, tmp_path: Path) -> None:
    convert_files("eamm", [eamm_file], tmp_path / "eamm.safetensors", convert=convert)
    head = eamm_head.load(EammOptions(), Resources(folders=(tmp_path,)))
    track = MovingTrack(1)
    ours = predicted(head.open_face(clip(track)), track, size=1, batch=1)
    assert_same_patches(ours, predicted(EammTalkingHead(eamm).open_face(clip(track)), track, size=1, batch=1))


def test_faults_are_named(tmp_path: Path, eamm_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THFEM_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(WeightsError, match=r"eamm\.safetensors"):
        eamm_head.load(EammOptions(), Resources(folders=(tmp_path,)))
    partial = tmp_path / "partial.pth.tar"
    torch.save({"generator": {"first.conv.weight": torch.zeros(1)}, "epoch": 1}, partial)
    with pytest.raises(WeightsError, match="holds no kp_detector, audio_feature, kp_detector_a"):
        load_eamm([partial])
    with pytest.raises(WeightsError, match=r"EAMM's generator is of another architecture: \d+ missing .* 1 of another"):
        load_eamm([eamm_file, partial])


def test_speech_is_needed(eamm: EammNetworks) -> None:
    with pytest.raises(InputError, match="this clip has none"):
        EammTalkingHead(eamm).open_face(clip(MovingTrack(2), speech=False))


def test_cepstra_are_those_of_the_published_front_end() -> None:
    """Also for frames that are no multiple of 40 ms: the window then begins with their own sample."""
    speech, stored = Speech(speech_wave(3), 0.1), golden("frontend_eamm_mfcc")["windows"]
    np.testing.assert_allclose(mfcc_windows(speech, [1, 4, 20], Fraction(25)), stored, atol=1e-3)
    np.testing.assert_allclose(mfcc_windows(speech, [8, 40], Fraction(50)), stored[1:], atol=1e-3)
