"""DeepSpeech 0.1.0 (Hannun et al., "Deep Speech", 2014, in Mozilla's size): what EAT hears with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from ...weights.reading import safe_load
from ..networks.checkpoint import build

INPUTS, SYMBOLS, WIDTH = 494, 29, 2048
_CEILING = 20.0
BLOCK, CONTEXT = 3000, 500  # rows of 20 ms


class DeepSpeech(nn.Module):
    """Cepstra with context (T, 494) of a whole clip → logits (T, 29) over 26 letters, space, apostrophe and blank.

    width: of the layers (2048 in the release).
    """

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.first = nn.Linear(INPUTS, width)
        self.second = nn.Linear(width, width)
        self.third = nn.Linear(width, 2 * width)
        self.lstm = nn.LSTM(2 * width, width, bidirectional=True)
        self.fifth = nn.Linear(2 * width, width)
        self.sixth = nn.Linear(width, SYMBOLS)

    def forward(self, cepstra: Tensor) -> Tensor:
        x = cepstra
        for layer in (self.first, self.second, self.third):
            x = layer(x).clamp(0.0, _CEILING)
        x, _ = self.lstm(x)
        return self.sixth(self.fifth(x).clamp(0.0, _CEILING))


def load_deepspeech(path: Path) -> DeepSpeech:
    """From the release's frozen graph (``.pb``) or a converted file. Raises WeightsError."""
    from .deepspeech_convert import tensors_of_graph

    state = tensors_of_graph(path) if path.suffix == ".pb" else safe_load(path)
    width = len(state["first.bias"]) if "first.bias" in state else WIDTH
    make: Callable[[], DeepSpeech] = lambda: DeepSpeech(width)  # noqa: E731 - built on the "meta" device later
    return build(make, state, what=f"DeepSpeech in {path}")


@torch.inference_mode()
def logits_of(network: DeepSpeech, cepstra: Tensor) -> Tensor:
    """(T, 494) → (T, 29) on the CPU; computed where the network is.

    Long clips go through in minutes, with seconds of context on either side, so that memory stays bounded: what lies
    farther away no longer counts in the recurrent layer.
    """
    like, parts = network.first.weight, []
    for start in range(0, len(cepstra), BLOCK):
        first, stop = max(0, start - CONTEXT), min(len(cepstra), start + BLOCK + CONTEXT)
        logits = network(cepstra[first:stop].to(like)).float().cpu()
        parts.append(logits[start - first : start - first + BLOCK])
    return torch.cat(parts)
