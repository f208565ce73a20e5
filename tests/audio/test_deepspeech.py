"""The input and the windows of DeepSpeech against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_speech import voice

from thfem_core.audio.deepspeech import deepspeech_input, deepspeech_windows


def test_the_input_of_deepspeech(goldens) -> None:
    rows = deepspeech_input(voice())
    assert rows.shape == (100, 494)
    np.testing.assert_allclose(rows[::21], goldens["deepspeech_input"], atol=1e-4)


@pytest.mark.parametrize(("rate", "frames"), [(50, 50), (60, 60)])
def test_the_windows_of_eat(goldens, rate: int, frames: int) -> None:
    logits = np.random.RandomState(5).standard_normal((100, 29))
    windows = deepspeech_windows(logits, 2.0, rate=rate)
    assert windows.shape == (frames, 16, 29)
    np.testing.assert_allclose(windows[::7, ::5, ::4], goldens[f"deepfeature32_rate{rate}"], atol=1e-4)


def test_silence_stays_finite() -> None:
    assert np.isfinite(deepspeech_input(np.zeros(8000))).all()
    with pytest.raises(ValueError, match="at least one row"):
        deepspeech_windows(np.zeros((0, 29)), 1.0)
