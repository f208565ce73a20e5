"""A measure of synchrony that needs no network: mouths open when it is loud.

Weak on a single second, but over a few seconds of speech its lag shows sound that was moved against the picture.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..audio.speech import Speech
from ..face.mesh.lip_motion import LaggedCorrelation, lagged_correlation
from ..media.timing import frame_to_sample

MAX_LAG = 8  # frames
_FLOOR = 1e-6  # energy, −60 dB
_BLOCK = 1024  # frames looked at together


def loudness(speech: Speech, frames: int, frame_rate: Fraction) -> np.ndarray:
    """Energy of the sound during each frame.

    Args:
        speech: Sound of the clip.
        frames: Number of frames T.
        frame_rate: Frames per second.

    Returns:
        (T,) in dB; −60 for silence and beyond the sound's end.
    """
    edges = np.array([frame_to_sample(i, frame_rate, speech.sample_rate) for i in range(frames + 1)])
    energy = np.zeros(frames)
    for start in range(0, frames, _BLOCK):
        part = edges[start : min(start + _BLOCK, frames) + 1]
        total = np.concatenate([[0.0], np.cumsum(np.square(speech.samples[part[0] : part[-1]], dtype=np.float64))])
        inside = np.minimum(part - part[0], len(total) - 1)
        energy[start : start + len(part) - 1] = np.diff(total[inside]) / np.maximum(np.diff(part), 1)
    return 10.0 * np.log10(energy + _FLOOR)


def loudness_sync(aperture: np.ndarray, level: np.ndarray, *, max_lag: int = MAX_LAG) -> LaggedCorrelation:
    """Correlate lip opening with loudness.

    Args:
        aperture: Lip opening per frame, (T,).
        level: Loudness per frame, (T,) in dB.
        max_lag: Frames tried each way.

    Returns:
        The correlation by lag; the lag is positive where the sound comes late.

    Raises:
        InputError: The clip is not longer than 2 · max_lag + 2 frames.
    """
    return lagged_correlation(aperture, level, max_lag=max_lag)
