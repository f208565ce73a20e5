"""A picture of speech as a network hears it."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np

from .profile import MelProfile
from .speech import Speech
from .window import audio_windows

_INK, _PAPER, _WINDOW = (40, 40, 40), (250, 250, 250), (255, 255, 255)
_MARGIN = 24  # for the numbers below, pixels


def mel_picture(
    speech: Speech, profile: MelProfile, *, steps: int, normalise: bool, width: int = 1024, height: int = 264
) -> np.ndarray:
    """uint8 RGB (height, width, 3): time from left to right, low bands at the bottom, seconds below.

    Two white lines show how wide the window of ``steps`` columns is around the middle of the sound. As many columns are
    computed as the picture is wide, so the length of the sound does not matter.
    """
    duration = max(speech.duration, Fraction(profile.hop_length, profile.sample_rate))
    count = min(width, max(1, int(duration * profile.sample_rate) // profile.hop_length))
    times = [duration * (2 * column + 1) / (2 * count) for column in range(count)]
    bands = audio_windows(speech, times, profile=profile, steps=1, normalise=normalise)[:, 0].numpy().T[::-1]
    low, high = profile.silence, max(float(bands.max()), profile.silence + 1e-6)
    grey = np.clip((bands - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    grey = cv2.resize(grey, (width, height - _MARGIN), interpolation=cv2.INTER_LINEAR)
    picture = np.full((height, width, 3), _PAPER, dtype=np.uint8)
    picture[: height - _MARGIN] = cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    reach = steps * profile.hop_length / profile.sample_rate / 2
    for edge in (-reach, reach):
        column = round((0.5 + edge / float(duration)) * width)
        cv2.line(picture, (column, 0), (column, height - _MARGIN - 1), _WINDOW, 1)
    for share in (0.0, 0.5, 1.0):
        place = (round(share * (width - 48)) + 4, height - 8)
        seconds = f"{share * float(duration):.1f} s"
        cv2.putText(picture, seconds, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, _INK, 1, cv2.LINE_AA)
    return picture
