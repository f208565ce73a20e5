"""Post-norm transformers of width 128 whose last token is a prompt, replaced layer by layer (deep prompt tuning)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .emotion_prompt import WIDTH

LAYERS = 6
_LAYER: dict[str, Any] = {"d_model": WIDTH, "nhead": 8, "dim_feedforward": 1024, "dropout": 0.1, "batch_first": True}
POSITIONS = 20


def position_table() -> Tensor:
    """Positions, float32 (1, 20, 128): sines at even channels and cosines at odd ones (Vaswani et al., 2017)."""
    channel = torch.arange(WIDTH)
    rates = 10000.0 ** (-2.0 * (channel // 2).double() / WIDTH)
    angles = torch.arange(POSITIONS).double()[:, None] * rates
    return torch.where(channel % 2 == 0, torch.sin(angles), torch.cos(angles)).float()[None]


class Positions(nn.Module):
    """Adds row p of the table to token p of (N, T, 128), T ≤ 20."""

    pos_table: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("pos_table", position_table())

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens + self.pos_table[:, : tokens.shape[1]]


class Encoder(nn.Module):
    """Self-attention layers without a norm behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.TransformerEncoderLayer(**_LAYER) for _ in range(LAYERS))

    def forward(self, tokens: Tensor, prompts: Tensor | None = None) -> Tensor:
        """tokens: (N, T, 128). prompts: (N, 6, 128); the last token is prompt i before layer i > 0."""
        for number, layer in enumerate(self.layers):
            tokens = layer(with_prompt(tokens, prompts, number))
        return tokens


class Decoder(nn.Module):
    """Layers that also attend to ``memory``; one norm behind the last."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.TransformerDecoderLayer(**_LAYER) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, tokens: Tensor, memory: Tensor, prompts: Tensor) -> Tensor:
        """As :meth:`Encoder.forward`; memory: (N, M, 128)."""
        for number, layer in enumerate(self.layers):
            tokens = layer(with_prompt(tokens, prompts, number), memory)
        return self.norm(tokens)


def with_prompt(tokens: Tensor, prompts: Tensor | None, number: int) -> Tensor:
    """``tokens`` with the last one replaced by prompt ``number`` (none before the first layer)."""
    if prompts is None or number == 0:
        return tokens
    return torch.cat([tokens[:, :-1], prompts[:, number, None]], dim=1)
