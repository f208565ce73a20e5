"""The picture of speech: high is up, later is right, and its cost does not depend on the length."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from thfem_core.audio.picture import mel_picture
from thfem_core.audio.profile import COMPACT, PROFILES, MelProfile
from thfem_core.audio.speech import Speech
from thfem_core.media.sound import Sound


def test_a_rising_tone_rises_in_the_picture() -> None:
    time = np.arange(32_000) / 16_000
    tone = 0.3 * np.sin(2 * np.pi * (300 * time + 1500 * time**2 / 2))
    speech = Speech.from_sound(Sound(tone[None].astype(np.float32), 16_000))
    picture = mel_picture(speech, COMPACT, steps=21, normalise=True, width=400, height=224).astype(int)
    assert picture.shape == (224, 400, 3)
    rows = picture[:200].sum(axis=2).argmax(axis=0)[[60, 120, 180, 240, 300, 340]]
    assert all(later < earlier for earlier, later in pairwise(rows)), rows


def test_two_lines_show_the_window() -> None:
    speech = Speech.from_sound(Sound(np.full((1, 32_000), 1e-4, np.float32), 16_000))
    picture = mel_picture(speech, COMPACT, steps=40, normalise=False, width=400, height=224)
    columns = np.flatnonzero((picture[:200] == 255).all(axis=(0, 2)))
    assert columns.tolist() == [160, 240], "0.4 s of 2 s"


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("count", [0, 1, 20_000])
def test_any_sound_has_a_picture(profile: MelProfile, count: int) -> None:
    speech = Speech.from_sound(Sound(np.zeros((1, count), np.float32), 16_000))
    picture = mel_picture(speech, profile, steps=5, normalise=profile.normalised, width=200, height=124)
    assert picture.shape == (124, 200, 3) and picture.dtype == np.uint8
