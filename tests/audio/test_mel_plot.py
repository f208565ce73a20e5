"""The plot of speech: high is up, later is right, and its cost does not depend on the length."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from thfem_core.audio import mel_plot as module
from thfem_core.audio.mel_plot import mel_plot
from thfem_core.audio.profile import COMPACT, EAT, WAV2LIP, MelProfile
from thfem_core.audio.speech import Speech
from thfem_core.media.sound import Sound


def test_a_rising_tone_rises_in_the_plot() -> None:
    time = np.arange(32_000) / 16_000
    tone = 0.3 * np.sin(2 * np.pi * (300 * time + 1500 * time**2 / 2))
    speech = Speech.from_sound(Sound(tone[None].astype(np.float32), 16_000))
    plot = mel_plot(speech, width=400, height=224).astype(int)
    assert plot.shape == (224, 400, 3)
    red_on_dark = np.where((plot > 250).all(axis=2), 0, plot[..., 0])  # of the colour map; the paper is white
    rows = red_on_dark[:160].argmax(axis=0)[[110, 160, 210, 260, 310, 350]]
    assert all(later < earlier for earlier, later in pairwise(rows)), rows


def test_a_long_sound_costs_no_more_than_the_plot_is_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    windows = module.audio_windows
    monkeypatch.setattr(
        module,
        "audio_windows",
        lambda speech, times, **given: (asked.append(len(times)), windows(speech, times, **given))[1],
    )
    mel_plot(Speech(np.zeros(16_000 * 60, np.float32), 0.0), width=200, height=124)
    assert asked == [200]


@pytest.mark.parametrize("profile", [COMPACT, EAT, WAV2LIP], ids=lambda profile: profile.name)
@pytest.mark.parametrize("count", [0, 1, 20_000])
def test_any_sound_has_a_plot(profile: MelProfile, count: int) -> None:
    speech = Speech.from_sound(Sound(np.zeros((1, count), np.float32), 16_000))
    plot = mel_plot(speech, profile=profile, width=200, height=124)
    assert plot.shape == (124, 200, 3) and plot.dtype == np.uint8
