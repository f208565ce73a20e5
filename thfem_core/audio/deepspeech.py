"""What goes into the DeepSpeech network that EAT listens with, and what EAT takes from it."""

from __future__ import annotations

import numpy as np

from .mfcc import mfcc

_CONTEXT = 9  # rows of 20 ms on either side
_PAD = 8  # rows of zeros on either side of the logits
_WINDOW = 16


def deepspeech_input(samples: np.ndarray) -> np.ndarray:
    """26 cepstra every 20 ms with nine rows of context on either side.

    samples: (N,) at 16 kHz, −1..1. Standardised by the mean and deviation of the whole clip, so a clip needs to be
    given whole. Returns float64 (n, 494), n about 50 per second.
    """
    quantised = np.clip(np.asarray(samples) * 32767.0, -32768, 32767).astype(np.int16)
    rows = np.pad(mfcc(quantised, step=160, cepstra=26)[::2], ((_CONTEXT, _CONTEXT), (0, 0)))
    context = np.lib.stride_tricks.sliding_window_view(rows, 2 * _CONTEXT + 1, axis=0).transpose(0, 2, 1)
    flat = context.reshape(len(context), -1)
    return (flat - flat.mean()) / max(flat.std(), np.finfo(np.float64).tiny)


def deepspeech_windows(logits: np.ndarray, seconds: float, *, rate: float = 50.0) -> np.ndarray:
    """The window of 16 rows that EAT hears with each frame, one for every second row.

    logits: (n, 29) before the softmax, of a clip that lasts ``seconds``. rate: at how many rows per second they are
    read: 50 is right and gives 25 windows per second; THFEM as released reads them at 60, for 30 frames per second,
    which is 1.2 times too fast. Before and after the clip there are zeros.
    Returns float32 (frames, 16, 29). Raises ValueError for no logits.
    """
    if not len(logits):
        raise ValueError("there are no DeepSpeech logits; give at least one row")
    wanted = np.arange(round(seconds * rate)) / rate
    given = np.arange(len(logits)) / rate
    rows = np.stack([np.interp(wanted, given, symbol) for symbol in np.asarray(logits).T], axis=1)[:-1]
    padded = np.pad(rows, ((_PAD, _PAD), (0, 0))).astype(np.float32)
    starts = np.arange(0, max(len(padded) - _WINDOW, 0), 2)
    return padded[starts[:, None] + np.arange(_WINDOW)]
