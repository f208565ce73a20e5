"""Spectrograms against the reference front ends, and what they must keep on any device and shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from made_up_speech import voice

from thfem_core.audio.mel import log_mel, mel_basis
from thfem_core.audio.profile import COMPACT, EAT, EAT_COMPAT, WAV2LIP, MelProfile


@pytest.mark.parametrize(
    ("profile", "name", "stride"), [(EAT, "mel_hop640", 5), (EAT_COMPAT, "mel_hop540", 5), (WAV2LIP, "sync_mel", 7)]
)
def test_reference_spectrograms(goldens, profile: MelProfile, name: str, stride: int) -> None:
    ours = log_mel(torch.from_numpy(voice()), profile).numpy()
    assert ours.shape == (1 + 32000 // profile.hop_length, 80)
    np.testing.assert_allclose(ours[::stride], goldens[name], atol=1e-3)


@pytest.mark.parametrize("padding", ["zero", "reflect"])
def test_both_paddings_of_the_sync_spectrogram(goldens, padding: str) -> None:
    samples = torch.from_numpy(goldens["pcm"].astype(np.float32) / 32768)
    ours = log_mel(samples, replace(WAV2LIP, padding=padding)).numpy()
    expected = goldens["mel_constant" if padding == "zero" else "mel_reflect"]
    np.testing.assert_allclose(ours[[0, 1, 2, 40, 79, 80]], expected, atol=1e-3)


def test_slaney_filter_bank(goldens) -> None:
    np.testing.assert_allclose(mel_basis(WAV2LIP).sum(axis=1), goldens["mel_basis_rowsum"], rtol=1e-5)


@pytest.mark.parametrize("profile", [COMPACT, WAV2LIP, EAT, EAT_COMPAT], ids=lambda profile: profile.name)
def test_silence_has_one_known_value(profile: MelProfile) -> None:
    for count in (0, 1, 3, 5000):
        columns = log_mel(torch.zeros(count), profile)
        assert columns.shape == (1 + count // profile.hop_length, profile.n_mels)
        torch.testing.assert_close(columns, torch.full_like(columns, profile.silence))


def test_leading_axes_are_kept() -> None:
    sounds = torch.from_numpy(np.stack([voice(1), voice(2)])).reshape(2, 2, 16000)
    together = log_mel(sounds, COMPACT)
    assert together.shape == (2, 2, 101, 80)
    torch.testing.assert_close(together[1, 0], log_mel(sounds[1, 0], COMPACT))


@pytest.mark.parametrize("profile", [COMPACT, WAV2LIP, EAT, EAT_COMPAT], ids=lambda profile: profile.name)
def test_gradients_reach_the_samples(profile: MelProfile) -> None:
    samples = torch.from_numpy(voice()[:4000].astype(np.float64)).requires_grad_()
    log_mel(samples, profile).sum().backward()
    assert samples.grad is not None and bool(torch.isfinite(samples.grad).all())
    with torch.no_grad():
        step = torch.zeros_like(samples)
        step[2000] = 1e-6
        difference = (log_mel(samples + step, profile).sum() - log_mel(samples - step, profile).sum()) / 2e-6
    assert float(samples.grad[2000]) == pytest.approx(float(difference), rel=1e-3)


def test_speech_at_its_normal_level_fills_the_unit_range(speech) -> None:
    columns = log_mel(torch.from_numpy(np.array(speech.samples)) * speech.gain, COMPACT)
    assert float(columns.min()) > -1.5 and float(columns.max()) < 2.6 and 0.3 < float(columns.std()) < 1.2


@pytest.mark.parametrize(
    "wrong", [{"win_length": 900}, {"hop_length": 0}, {"fmax": 8001.0}, {"fmin": 9000.0}, {"floor": 0.0}]
)
def test_impossible_profiles_say_what_to_give(wrong: dict) -> None:
    with pytest.raises(ValueError, match="give"):
        replace(WAV2LIP, **wrong)
