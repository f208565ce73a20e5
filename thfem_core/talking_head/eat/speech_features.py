"""DeepSpeech logits of a clip: computed, or read from a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ...audio.deepspeech import deepspeech_input
from ...audio.speech import Speech
from ...errors import InputError
from ...networks.checkpoint import build
from ...weights.reading import safe_load
from .deepspeech import SYMBOLS, WIDTH, DeepSpeech, logits_of
from .deepspeech_convert import tensors_of_graph

_STRIDE, _PAD = 2, 8  # of the published features: windows of 16 rows, each two rows after the last, eight zeros before

# The sound of a clip → logits (n, 29), 50 rows per second.
SpeechLogits = Callable[[Speech], np.ndarray]


def load_deepspeech(path: Path) -> DeepSpeech:
    """Load DeepSpeech.

    Args:
        path: The release's frozen graph (``.pb``), or a converted file.

    Returns:
        The network, on the CPU, in float32.

    Raises:
        WeightsError: The file is damaged, or another.
    """
    state = tensors_of_graph(path) if path.suffix == ".pb" else safe_load(path)
    width = len(state["first.bias"]) if "first.bias" in state else WIDTH
    make: Callable[[], DeepSpeech] = lambda: DeepSpeech(width)  # noqa: E731 - built on the "meta" device later
    return build(make, state, what=f"DeepSpeech in {path}")


def computed_logits(network: DeepSpeech) -> SpeechLogits:
    """Compute logits by the network, on the device where it is."""

    def logits(speech: Speech) -> np.ndarray:
        cepstra = torch.from_numpy(deepspeech_input(np.asarray(speech.samples))).float()
        return logits_of(network, cepstra).numpy()

    return logits


def read_logits(path: Path) -> np.ndarray:
    """Read logits from a file.

    Args:
        path: A ``.npy`` with logits (n, 29), 50 per second, or with the windows (frames, 16, 29), 25 per second, that
            EAT's own preparation writes.

    Returns:
        float32 (n, 29), 50 per second.

    Raises:
        InputError: The file cannot be read, or holds something else.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as an array of speech features ({error}); give a .npy file") from None
    if array.ndim == 3 and array.shape[1:] == (16, SYMBOLS) and len(array):
        # Two new rows come with every window; the last window also holds what follows.
        middle = array[:, _PAD : _PAD + _STRIDE].reshape(-1, SYMBOLS)
        array = np.concatenate([middle, array[-1, _PAD + _STRIDE :]])
    if array.ndim != 2 or array.shape[1] != SYMBOLS or not len(array):
        raise InputError(
            f"{path} has the shape {array.shape}; DeepSpeech features are (rows, 29), or (frames, 16, 29) windows"
        )
    return np.asarray(array, np.float32)


def stored_logits(path: Path) -> SpeechLogits:
    """Take logits from a file that was made for the clip, whatever the sound; see :func:`read_logits`."""
    array = read_logits(path)
    return lambda speech: array
