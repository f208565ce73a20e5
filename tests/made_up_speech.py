"""Sounds like speech, for the tests of audio, alignment and what hears them."""

from __future__ import annotations

import numpy as np


def voice(seed: int = 3) -> np.ndarray:
    """2 s at 16 kHz, float32 (32000,): a wobbling pitch, swelling, a little noise. The goldens were made of it."""
    n = np.arange(32000)
    pitch = 180 + 60 * np.sin(2 * np.pi * 1.5 * n / 16000 + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / 16000
    tone = 0.25 * np.sin(phase) + 0.12 * np.sin(2 * phase) + 0.06 * np.sin(3 * phase)
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 3 * n / 16000 + 2 * seed)
    return (tone * swell + 0.01 * np.random.RandomState(seed).standard_normal(32000)).astype(np.float32)


def syllables(seconds: float, rate: int, seed: int = 0) -> np.ndarray:
    """Speech-like sound, float32 (seconds · rate,): a voice whose vowel and loudness change every 0.12 s, pauses."""
    rng = np.random.default_rng(seed)
    count = int(seconds * rate)
    time = np.arange(count) / rate
    pieces = int(seconds / 0.12) + 2
    knots = np.arange(pieces) * 0.12
    phase = 2 * np.pi * np.cumsum(np.interp(time, knots, rng.uniform(90, 220, pieces))) / rate
    formants = [np.interp(time, knots, rng.uniform(low, high, pieces)) for low, high in ((250, 800), (900, 2300))]
    loudness = np.interp(time, knots, rng.uniform(0.2, 1.0, pieces) * (rng.random(pieces) > 0.15))
    sound = np.zeros(count)
    for harmonic in range(1, 25):
        hertz = harmonic * np.gradient(phase) * rate / (2 * np.pi)
        weight = sum(np.exp(-(((hertz - formant) / 150) ** 2)) for formant in formants)
        sound += weight * np.sin(harmonic * phase) * (hertz < rate / 2)
    return (0.15 * loudness * sound + 0.001 * rng.standard_normal(count)).astype(np.float32)
