"""The input and the windows of DeepSpeech against the reference."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from made_up_speech import voice

from thfem_core.audio.deepspeech import deepspeech_input
from thfem_core.talking_head.eat.timeline import speech_windows


def test_the_input_of_deepspeech(goldens) -> None:
    rows = deepspeech_input(voice())
    assert rows.shape == (100, 494)
    np.testing.assert_allclose(rows[::21], goldens["deepspeech_input"], atol=1e-4)


def test_the_windows_of_eat(goldens) -> None:
    """Two rows further with every frame; the published code drops the last row of a clip."""
    logits = np.random.RandomState(5).standard_normal((100, 29))[:-1]
    windows = speech_windows(logits, [Fraction(2 * frame) for frame in range(50)], np.zeros((16, 29))).numpy()
    np.testing.assert_allclose(windows[::7, ::5, ::4], goldens["deepfeature32_rate50"], atol=1e-4)


def test_silence_stays_finite() -> None:
    assert np.isfinite(deepspeech_input(np.zeros(8000))).all()
