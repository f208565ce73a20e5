"""Loudness per frame, and the delay of sound against an opening mouth."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thfem_core.audio.speech import Speech
from thfem_core.errors import InputError
from thfem_core.media.sound import Sound
from thfem_core.metrics import loudness as module
from thfem_core.metrics.loudness import loudness, loudness_sync


def speech(samples: np.ndarray) -> Speech:
    return Speech.from_sound(Sound(samples[None].astype(np.float32), 16000))


def test_loudness_is_the_energy_of_each_frame() -> None:
    samples = np.repeat([1.0, 0.1, 0.0], 640)
    np.testing.assert_allclose(loudness(speech(samples), 4, Fraction(25)), [0.0, -20.0, -60.0, -60.0], atol=0.01)
    assert loudness(speech(np.zeros(0)), 3, Fraction(25)).tolist() == [-60.0] * 3


@given(rate=st.sampled_from([Fraction(25), Fraction(30000, 1001), Fraction(50)]), count=st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_blocks_do_not_show(rate: Fraction, count: int) -> None:
    sound = speech(np.random.default_rng(0).normal(scale=0.1, size=16000))
    whole = loudness(sound, count, rate)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", 7)
        np.testing.assert_allclose(loudness(sound, count, rate), whole, atol=1e-9)


@pytest.mark.parametrize("shift", [-5, 0, 3])
def test_sound_that_was_moved_is_late_by_as_many_frames(shift: int) -> None:
    opening = np.abs(np.sin(0.7 * np.arange(80)) * np.sin(0.23 * np.arange(80)))
    samples = np.repeat(np.roll(0.05 + opening, shift), 640) * np.random.default_rng(1).normal(size=80 * 640)
    found = loudness_sync(opening, loudness(speech(samples), 80, Fraction(25)))
    assert found.lag == shift and found.best > 0.7


def test_a_clip_that_is_too_short_is_refused() -> None:
    with pytest.raises(InputError, match="too few"):
        loudness_sync(np.zeros(18), np.zeros(18))
