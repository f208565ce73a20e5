"""How the mouth looks for each phoneme, and how it moves between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# phoneme prefix → (gap in % of the outer-eye distance, wide 1 … rounded -1, lower lip tucked 0 … 1)
SHAPES: dict[str, tuple[float, float, float]] = {
    "_": (0.0, 0.0, 0.0),
    "a": (19.5, 0.2, 0.0),
    "A": (20.8, 0.0, 0.0),
    "V": (13.0, 0.1, 0.0),
    "@": (9.1, 0.0, 0.0),
    "3": (9.1, -0.3, 0.0),
    "E": (13.0, 0.5, 0.0),
    "e": (13.0, 0.6, 0.0),
    "I": (9.1, 0.5, 0.0),
    "i": (7.8, 0.8, 0.0),
    "O": (15.6, -0.6, 0.0),
    "0": (15.6, -0.5, 0.0),
    "o": (11.7, -0.8, 0.0),
    "u": (6.5, -1.0, 0.0),
    "U": (7.8, -0.8, 0.0),
    "w": (5.2, -1.0, 0.0),
    "m": (0.0, 0.1, 0.0),
    "b": (0.0, 0.1, 0.0),
    "p": (0.0, 0.1, 0.0),
    "f": (2.0, 0.2, 1.0),
    "v": (2.0, 0.2, 1.0),
    "r": (5.2, -0.5, 0.0),
    "S": (5.2, -0.6, 0.0),
    "Z": (5.2, -0.6, 0.0),
    "tS": (5.2, -0.6, 0.0),
    "dZ": (5.2, -0.6, 0.0),
    "j": (5.2, 0.4, 0.0),
}
OTHER_CONSONANT = (5.9, 0.2, 0.0)
GLIDES = {"aI": "I", "aU": "U", "eI": "I", "oU": "U", "OI": "I"}


def _shape(phoneme: str) -> tuple[float, float, float]:
    return SHAPES.get(phoneme[:2]) or SHAPES.get(phoneme[:1]) or OTHER_CONSONANT


def mouth_motion(phonemes: Sequence[tuple[float, str]], times: np.ndarray) -> np.ndarray:
    """(T, 3): gap, wide and tuck at ``times`` (seconds) from (start, phoneme) pairs.

    The lips lead the sound a little and never jump: shapes are met at the middle of each phoneme, closures exactly,
    with smooth motion in between.
    """
    keys: list[tuple[float, tuple[float, float, float]]] = []
    stops = [start for start, _ in phonemes[1:]] + [times[-1]]
    for (start, phoneme), stop in zip(phonemes, stops, strict=True):
        if phoneme[:2] in GLIDES:
            keys.append((start + 0.35 * (stop - start), _shape(phoneme[:1])))
            keys.append((start + 0.85 * (stop - start), _shape(GLIDES[phoneme[:2]])))
        else:
            keys.append((start + 0.5 * (stop - start), _shape(phoneme)))
    lead = 0.03
    key_times = np.array([time - lead for time, _ in keys])
    values = np.array([value for _, value in keys])
    fine = np.arange(times[0] - 0.2, times[-1] + 0.2, 0.005)
    motion = np.stack([np.interp(fine, key_times, column) for column in values.T], axis=1)
    kernel = np.hanning(17) / np.hanning(17).sum()
    smooth = np.stack([np.convolve(column, kernel, mode="same") for column in motion.T], axis=1)
    return np.stack([np.interp(times, fine, column) for column in smooth.T], axis=1)
