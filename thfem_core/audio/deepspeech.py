"""What goes into the DeepSpeech network that EAT reads speech with."""

from __future__ import annotations

import numpy as np

from .mfcc import mfcc

_CONTEXT = 9  # rows of 20 ms on either side


def deepspeech_input(samples: np.ndarray) -> np.ndarray:
    """Compute 26 cepstra every 20 ms, each with nine rows of context on either side.

    Args:
        samples: float (N,) at 16 kHz, −1..1: the whole clip, since rows are standardised by its mean and deviation.

    Returns:
        float64 (n, 494), n about 50 per second.
    """
    quantised = np.clip(np.asarray(samples) * 32767.0, -32768, 32767).astype(np.int16)
    rows = np.pad(mfcc(quantised, step=160, cepstra=26)[::2], ((_CONTEXT, _CONTEXT), (0, 0)))
    context = np.lib.stride_tricks.sliding_window_view(rows, 2 * _CONTEXT + 1, axis=0).transpose(0, 2, 1)
    flat = context.reshape(len(context), -1)
    standardised: np.ndarray = (flat - flat.mean()) / max(flat.std(), np.finfo(np.float64).tiny)
    return standardised
