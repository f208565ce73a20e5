"""A plot of speech as the embedded talking head reads it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..figure import as_pixels, new_figure
from .profile import COMPACT, MelProfile
from .speech import Speech
from .window import audio_windows


def mel_plot(speech: Speech, *, profile: MelProfile = COMPACT, width: int = 1024, height: int = 264) -> np.ndarray:
    """Plot the log-mel spectrogram of speech, brought to one level.

    At most as many columns are computed as the plot is wide, so the length of the sound does not matter.

    Args:
        speech: The sound.
        profile: Which spectrogram.
        width: Of the plot, in pixels.
        height: Of the plot, in pixels.

    Returns:
        uint8 RGB (height, width, 3).
    """
    duration = max(speech.duration, Fraction(profile.hop_length, profile.sample_rate))
    count = min(width, max(1, int(duration * profile.sample_rate) // profile.hop_length))
    times = [duration * (2 * column + 1) / (2 * count) for column in range(count)]
    bands = audio_windows(speech, times, profile=profile, steps=1, normalise=True)[:, 0].numpy().T
    figure = new_figure(width, height)
    axes = figure.subplots()
    extent = (0.0, float(duration), 0.0, float(profile.n_mels))
    loudest = max(float(bands.max()), profile.silence + 1e-3)
    axes.imshow(bands, cmap="inferno", origin="lower", aspect="auto", extent=extent, vmin=profile.silence, vmax=loudest)
    axes.set(xlabel="seconds", ylabel="mel band")
    return as_pixels(figure)
