"""EAMM through a clip, from a converted file to patches."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from filled import golden, image, speech_wave
from moving_face import MovingTrack, assert_same_patches, clip, predicted

from thfem_core.audio.speech import Speech
from thfem_core.errors import InputError, WeightsError
from thfem_core.networks.folding import fold
from thfem_core.registry import Resources
from thfem_core.talking_head.eamm import head as eamm_head
from thfem_core.talking_head.eamm.back_end import EammOptions
from thfem_core.talking_head.eamm.convert import convert
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


@torch.inference_mode()
def test_half_precision_keeps_its_keypoints_and_grids(eamm_network) -> None:
    """The generator in bfloat16, as on a graphics card: coordinates stay in float32, pictures agree to two levels."""
    generator = fold(eamm_network("generator"))
    value, jacobian = 0.4 * torch.randn(1, 10, 2), torch.eye(2) + 0.1 * torch.randn(1, 10, 2, 2)
    source, driving = AffineKeypoints(value, jacobian), AffineKeypoints(value + 0.03, jacobian)
    exact = generator(generator.encode(image("source")), source, driving)
    generator.to(torch.bfloat16)
    appearance = generator.encode(image("source").bfloat16())
    assert generator.motion(appearance, source, driving).deformation.dtype == torch.float32
    assert (generator(appearance, source, driving) - exact).abs().mean() < 2 / 255


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
