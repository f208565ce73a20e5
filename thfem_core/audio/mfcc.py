"""Mel frequency cepstra in the convention of python_speech_features, which SyncNet, EAMM, DeepSpeech and THFEM use."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.fft import dct

_RATE = 16_000
_WINDOW = 400  # 25 ms
_FFT = 512
_FILTERS = 26
_PRE_EMPHASIS = 0.97
_LIFTER = 22
_ROWS_AT_ONCE = 4096


@lru_cache(maxsize=1)
def _triangles() -> np.ndarray:
    """The filter bank, (26, 257): triangles of height 1 between HTK-spaced corners, rounded down to whole bins."""
    highest = 2595 * np.log10(1 + _RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, highest, _FILTERS + 2) / 2595) - 1)
    corners = np.floor((_FFT + 1) * hertz / _RATE)
    low, peak, high = (corners[offset : offset + _FILTERS, None] for offset in range(3))
    bins = np.arange(_FFT // 2 + 1)
    rising, falling = (bins - low) / (peak - low), (high - bins) / (high - peak)
    triangles = np.where((bins >= low) & (bins < peak), rising, np.where((bins >= peak) & (bins < high), falling, 0.0))
    triangles.flags.writeable = False
    return triangles


def mfcc(samples: np.ndarray, *, step: int, cepstra: int = 13) -> np.ndarray:
    """Compute cepstra of 16 kHz mono sound at equal steps.

    Row ``i`` looks at the 25 ms from sample ``i · step`` on, without any tapering; the end is filled up with zeros.

    Args:
        samples: (N,) of any scale; only coefficient 0, the logarithm of the energy, depends on it.
        step: Samples from one row to the next.
        cepstra: Coefficients per row.

    Returns:
        float64 (1 + ceil((N − 400) / step), cepstra), at least one row.

    Raises:
        ValueError: The step is below 1.
    """
    if step < 1:
        raise ValueError(f"the step of the cepstra is {step} samples; give 1 or more")
    count = 1 + max(0, -(-(len(samples) - _WINDOW) // step))
    return mfcc_at(samples, step * np.arange(count), cepstra=cepstra)


def mfcc_at(samples: np.ndarray, starts: np.ndarray, *, cepstra: int = 13) -> np.ndarray:
    """Compute cepstra at any moments; before and after the sound there is silence.

    Args:
        samples: (N,) as in :func:`mfcc`; only what the rows cover is read.
        starts: int (T,), the sample from which on each row looks at 25 ms.
        cepstra: Coefficients per row.

    Returns:
        float64 (T, cepstra).
    """
    starts = np.asarray(starts, dtype=np.int64)
    batches = [starts[i : i + _ROWS_AT_ONCE] for i in range(0, len(starts), _ROWS_AT_ONCE)]
    rows = [_cepstra(_emphasised_pieces(samples, batch), cepstra) for batch in batches]
    return np.concatenate(rows) if rows else np.zeros((0, cepstra))


def _emphasised_pieces(samples: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The pre-emphasised 25 ms from each start on, (T, 400)."""
    positions = starts[:, None] + np.arange(-1, _WINDOW)
    inside = (positions >= 0) & (positions < len(samples))
    pieces = np.zeros(positions.shape)
    pieces[inside] = samples[positions[inside]]
    return np.where(inside[:, 1:], pieces[:, 1:] - _PRE_EMPHASIS * pieces[:, :-1], 0.0)


def _cepstra(pieces: np.ndarray, count: int) -> np.ndarray:
    """The first cepstra of pieces (T, 400), liftered; the first one is replaced by the logarithm of the energy."""
    power = np.square(np.abs(np.fft.rfft(pieces, _FFT))) / _FFT
    smallest = np.finfo(np.float64).eps
    energy = power.sum(axis=1)
    bands = power @ _triangles().T
    logarithms = np.log(np.where(bands == 0, smallest, bands))
    rows = dct(logarithms, type=2, axis=1, norm="ortho")[:, :count]
    rows *= 1 + _LIFTER / 2 * np.sin(np.pi * np.arange(rows.shape[1]) / _LIFTER)
    rows[:, 0] = np.log(np.where(energy == 0, smallest, energy))
    return rows
