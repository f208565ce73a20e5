"""The window of a frame: at its exact sample, whatever the frame rate and whoever else is asked for."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import floor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_speech import voice

from thfem_core.audio.mel import log_mel, mel_basis
from thfem_core.audio.profile import COMPACT, EAT, EAT_COMPAT, WAV2LIP, MelProfile
from thfem_core.audio.speech import Speech
from thfem_core.audio.window import audio_windows, eat_windows
from thfem_core.media.sound import Sound
from thfem_core.media.timing import frame_time

RATES = [Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60), Fraction(12), Fraction(1000, 7)]
rates = st.one_of(st.sampled_from(RATES), st.fractions(1, 200))


def windows(speech: Speech, frames: list[int], rate: Fraction, profile: MelProfile, steps: int) -> torch.Tensor:
    times = [frame_time(frame, rate) for frame in frames]
    return audio_windows(speech, times, profile=profile, steps=steps, normalise=False)


@settings(max_examples=40, deadline=None)
@given(
    rate=rates,
    frame=st.integers(-20, 400),
    steps=st.integers(1, 21),
    profile=st.sampled_from([COMPACT, WAV2LIP]),
)
def test_each_column_is_centred_at_its_sample(
    speech: Speech, rate: Fraction, frame: int, steps: int, profile: MelProfile
) -> None:
    window = windows(speech, [frame], rate, profile, steps)[0]
    assert window.shape == (steps, 80) and window.dtype == torch.float32
    hop, half = profile.hop_length, profile.n_fft // 2
    first = floor(frame * 16_000 / rate) - (steps - 1) * hop // 2
    emphasised = np.append(voice()[:1], voice()[1:] - profile.pre_emphasis * voice()[:-1]).astype(np.float64)
    positions = first + np.arange(-half, half + (steps - 1) * hop)
    heard = np.where((positions >= 0) & (positions < 32_000), emphasised[np.clip(positions, 0, 31_999)], 0.0)
    piece = torch.from_numpy(heard)
    for k in range(steps):
        spectrum = torch.fft.rfft(_tapered(piece[k * hop : k * hop + profile.n_fft], profile))
        torch.testing.assert_close(window[k], _loudness(spectrum, profile).float(), atol=2e-5, rtol=1e-5)


def _tapered(samples: torch.Tensor, profile: MelProfile) -> torch.Tensor:
    n = np.arange(profile.win_length)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / profile.win_length)
    left = (profile.n_fft - profile.win_length) // 2
    return samples * torch.from_numpy(np.pad(hann, (left, profile.n_fft - profile.win_length - left)))


def _loudness(spectrum: torch.Tensor, profile: MelProfile) -> torch.Tensor:
    mel = torch.from_numpy(np.array(mel_basis(profile))) @ spectrum.abs() ** profile.power
    mel = mel + profile.floor if profile.floor_added else mel.clamp_min(profile.floor)
    value = profile.gain * mel.log() / np.log(profile.log_base) + profile.offset
    return value if profile.limits is None else value.clamp(*profile.limits)


@settings(max_examples=20, deadline=None)
@given(rate=rates, cuts=st.lists(st.integers(0, 60), max_size=4), steps=st.integers(1, 24), order=st.randoms())
def test_windows_do_not_depend_on_the_others(
    speech: Speech, rate: Fraction, cuts: list[int], steps: int, order
) -> None:
    frames = list(range(60))
    together = windows(speech, frames, rate, COMPACT, steps)
    edges = [0, *sorted(cuts), 60]
    parts = [windows(speech, frames[a:b], rate, COMPACT, steps) for a, b in pairwise(edges)]
    assert torch.equal(together, torch.cat(parts))
    order.shuffle(frames)
    assert torch.equal(together[frames], windows(speech, frames, rate, COMPACT, steps))


@pytest.mark.parametrize("profile", [COMPACT, WAV2LIP])
def test_on_the_grid_of_hops_the_columns_are_the_spectrogram(speech: Speech, profile: MelProfile) -> None:
    whole = log_mel(torch.from_numpy(voice()), profile)
    rate = Fraction(16_000, profile.hop_length)
    single = windows(speech, list(range(len(whole))), rate, profile, 1)[:, 0]
    torch.testing.assert_close(single, whole, atol=5e-5, rtol=0)
    wide = windows(speech, [50], rate, profile, 11)[0]
    assert torch.equal(wide, single[45:56])


@settings(max_examples=20, deadline=None)
@given(seconds=st.fractions(-40, -1), rate=rates)
def test_there_is_silence_around_the_sound(speech: Speech, seconds: Fraction, rate: Fraction) -> None:
    for time in (seconds, Fraction(3) - seconds):
        for profile in (COMPACT, WAV2LIP, EAT):
            window = audio_windows(speech, [time], profile=profile, steps=5, normalise=True)
            torch.testing.assert_close(window, torch.full_like(window, profile.silence))


def test_the_moment_lies_in_the_middle() -> None:
    """A click is loudest in the middle column of an odd window and equal in the two middle ones of an even window."""
    samples = np.zeros((1, 16_000), np.float32)
    samples[0, 8000] = 1.0
    click = Speech.from_sound(Sound(samples, 16_000))
    odd, even = (
        audio_windows(click, [Fraction(1, 2)], profile=COMPACT, steps=steps, normalise=False)[0].mean(dim=1)
        for steps in (5, 4)
    )
    assert int(odd.argmax()) == 2
    torch.testing.assert_close(even, even.flip(0))


def test_loudness_does_not_matter_after_normalising(speech: Speech) -> None:
    quiet = Speech.from_sound(Sound(voice()[None] * np.float32(0.1), 16_000))
    times = [Fraction(1, 2), Fraction(1)]
    loud, soft = (audio_windows(s, times, profile=COMPACT, steps=9, normalise=True) for s in (speech, quiet))
    torch.testing.assert_close(loud, soft, atol=1e-3, rtol=0)
    raw = audio_windows(quiet, times, profile=COMPACT, steps=9, normalise=False)
    assert float((loud - raw).abs().max()) > 0.3


@pytest.mark.parametrize("profile", [EAT, EAT_COMPAT])
def test_eat_hears_five_columns_before_and_after(speech: Speech, profile: MelProfile) -> None:
    whole = log_mel(torch.from_numpy(voice()), profile)
    count = 48
    silence = torch.linspace(-1, 1, 80)
    ours = eat_windows(speech, range(count), count, profile=profile, outside=silence)
    expected = torch.cat([silence.repeat(5, 1), whole[:count], silence.repeat(5, 1)]).unfold(0, 11, 1).transpose(1, 2)
    torch.testing.assert_close(ours, expected, atol=5e-5, rtol=0)
    assert not eat_windows(speech, [0], count, profile=profile)[0, :5].any()


@pytest.mark.parametrize("profile", [COMPACT, WAV2LIP, EAT, EAT_COMPAT], ids=lambda profile: profile.name)
@pytest.mark.parametrize("count", [0, 1, 100])
def test_hardly_any_sound(profile: MelProfile, count: int) -> None:
    tiny = Speech.from_sound(Sound(np.full((1, count), 0.1, np.float32), 16_000))
    window = audio_windows(tiny, [Fraction(0), Fraction(1)], profile=profile, steps=3, normalise=True)
    assert window.shape == (2, 3, 80) and bool(torch.isfinite(window).all())
    assert bool(torch.isfinite(eat_windows(tiny, [0], 1)).all())
    assert audio_windows(tiny, [], profile=profile, steps=3, normalise=True).shape == (0, 3, 80)


def test_what_cannot_be_is_refused(speech: Speech) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        audio_windows(speech, [Fraction(0)], profile=COMPACT, steps=0, normalise=True)
    other = Speech(samples=speech.samples, level=speech.level, sample_rate=8000)
    with pytest.raises(ValueError, match="8000 Hz"):
        audio_windows(other, [Fraction(0)], profile=COMPACT, steps=1, normalise=True)
