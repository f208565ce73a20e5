"""DeepSpeech 0.1.0 (Hannun et al., "Deep Speech", 2014, in Mozilla's size), which EAT reads speech with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

INPUTS, SYMBOLS, WIDTH = 494, 29, 2048
_CEILING = 20.0
BLOCK = 3000  # rows of 20 ms computed at once


class DeepSpeech(nn.Module):
    """Cepstra with context (T, 494) of a whole clip → logits (T, 29) over 26 letters, space, apostrophe and blank."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.first = nn.Linear(INPUTS, width)
        self.second = nn.Linear(width, width)
        self.third = nn.Linear(width, 2 * width)
        self.lstm = nn.LSTM(2 * width, width, bidirectional=True)
        self.fifth = nn.Linear(2 * width, width)
        self.sixth = nn.Linear(width, SYMBOLS)

    def to_recurrent(self, cepstra: Tensor) -> Tensor:
        """The layers before the recurrent one, row by row: (T, 494) → (T, 2 · width)."""
        for layer in (self.first, self.second, self.third):
            cepstra = layer(cepstra).clamp(0.0, _CEILING)
        return cepstra

    def from_recurrent(self, hidden: Tensor) -> Tensor:
        """The layers after the recurrent one, row by row: (T, 2 · width) → (T, 29)."""
        return self.sixth(self.fifth(hidden).clamp(0.0, _CEILING))

    def forward(self, cepstra: Tensor) -> Tensor:
        return self.from_recurrent(self.lstm(self.to_recurrent(cepstra))[0])


@torch.inference_mode()
def logits_of(network: DeepSpeech, cepstra: Tensor) -> Tensor:
    """Compute logits block by block, so that memory stays bounded, on the device where the network is.

    The result is that of the network in one go: a first pass from the end finds the state in which the backward
    direction of the recurrent layer enters each block.

    Args:
        network: DeepSpeech.
        cepstra: (T, 494) of :func:`...audio.deepspeech.deepspeech_input`.

    Returns:
        (T, 29), on the CPU.
    """
    like = network.first.weight
    forwards, backwards = (_direction(network.lstm, suffix) for suffix in ("", "_reverse"))
    starts = range(0, len(cepstra), BLOCK)
    entered: dict[int, tuple[Tensor, Tensor] | None] = {}
    state: tuple[Tensor, Tensor] | None = None
    for start in reversed(starts):
        entered[start] = state
        if start:
            _, state = backwards(network.to_recurrent(cepstra[start : start + BLOCK].to(like)).flip(0), state)
    state, parts = None, []
    for start in starts:
        inputs = network.to_recurrent(cepstra[start : start + BLOCK].to(like))
        before, state = forwards(inputs, state)
        after, _ = backwards(inputs.flip(0), entered[start])
        parts.append(network.from_recurrent(torch.cat([before, after.flip(0)], dim=1)).float().cpu())
    return torch.cat(parts)


def _direction(lstm: nn.LSTM, suffix: str) -> nn.LSTM:
    """One direction of a bidirectional layer, sharing its weights."""
    with torch.device("meta"):
        single = nn.LSTM(lstm.input_size, lstm.hidden_size)
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        setattr(single, name, getattr(lstm, name + suffix))
    return single
