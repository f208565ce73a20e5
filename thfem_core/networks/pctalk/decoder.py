"""PC-Talk's decoder: deformations frame after frame, each from the sound of its frame and all deformations before.

One layer is a post-norm transformer decoder layer. A position attends to itself and earlier ones, and in the sound to
its own frame alone, so keys and values of earlier positions are kept and nothing is computed twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .speech import WIDTH

HEADS = 4
_FORWARD = 1024
LONGEST = 600  # positions that the published tables cover at least


def position_table(period: int) -> Tensor:
    """(1, period · (600 // period + 1), 512): sines and cosines of the position within a period."""
    position = torch.arange(period, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, WIDTH, 2, dtype=torch.float32) * (-torch.log(torch.tensor(10000.0)) / WIDTH))
    table = torch.stack([torch.sin(position * rate), torch.cos(position * rate)], dim=-1).flatten(1)
    return table.repeat(LONGEST // period + 1, 1)[None]


class Positions(nn.Module):
    """Holds :func:`position_table` under the published name."""

    pe: Tensor

    def __init__(self, period: int) -> None:
        super().__init__()
        self.register_buffer("pe", position_table(period))


def attention_bias(position: int, period: int) -> Tensor:
    """(heads, position + 1): how much less a position attends to ones that lie whole periods before it."""
    slopes = torch.tensor([2.0 ** (-8 * (head + 1) / HEADS) for head in range(HEADS)])
    distance = torch.div(position - torch.arange(position + 1), period, rounding_mode="floor")
    return -slopes[:, None] * distance


class _Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(WIDTH, HEADS)
        self.multihead_attn = nn.MultiheadAttention(WIDTH, HEADS)
        self.linear1 = nn.Linear(WIDTH, _FORWARD)
        self.linear2 = nn.Linear(_FORWARD, WIDTH)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(WIDTH) for _ in range(3))

    def attended_memory(self, memory: Tensor) -> Tensor:
        """(B, L, 512): what attention to the own frame alone gives, whatever asks for it."""
        attention = self.multihead_attn
        values = F.linear(memory, attention.in_proj_weight[-WIDTH:], attention.in_proj_bias[-WIDTH:])
        return attention.out_proj(values)

    def step(self, x: Tensor, attended: Tensor, past: Tensor | None, bias: Tensor) -> tuple[Tensor, Tensor]:
        """One position (B, 512) with ``past`` keys and values (2, B, heads, n, d); returns them with its own."""
        attention = self.self_attn
        query, key, value = (
            part.unflatten(-1, (HEADS, 1, -1))
            for part in F.linear(x, attention.in_proj_weight, attention.in_proj_bias).chunk(3, dim=-1)
        )
        own = torch.stack([key, value])
        past = own if past is None else torch.cat([past, own], dim=3)
        mixed = F.scaled_dot_product_attention(query, past[0], past[1], attn_mask=bias[:, None])
        x = self.norm1(x + attention.out_proj(mixed.flatten(1)))
        x = self.norm2(x + attended)
        return self.norm3(x + self.linear2(torch.relu(self.linear1(x)))), past


class TransformerDecoder(nn.Module):
    """The layers under their published name."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer() for _ in range(depth))

    def generate(
        self,
        memory: Tensor,
        style: Tensor,
        *,
        positions: Tensor,
        period: int,
        embed: Callable[[Tensor], Tensor],
        read: Callable[[Tensor], Tensor],
        warm: Tensor | None = None,
    ) -> Tensor:
        """Run over a window.

        Args:
            memory: (B, L, 512) sound.
            style: (B, 512), first token, added to all.
            positions: :attr:`Positions.pe`.
            period: Of the positions.
            embed: Deformation (B, n) → token (B, 512).
            read: Output (B, 512) → deformation (B, n).
            warm: (B, W, n) deformations of the first W < L frames that are known; outputs there are recomputed.

        Returns:
            (B, L, n).
        """
        layers = cast("list[_Layer]", list(self.layers))
        attended = [layer.attended_memory(memory) for layer in layers]
        past: list[Tensor | None] = [None] * len(layers)
        token, values = style, []
        for position in range(memory.shape[1]):
            x = token + positions[:, position]
            bias = attention_bias(position, period).to(x)
            for number, layer in enumerate(layers):
                x, past[number] = layer.step(x, attended[number][:, position], past[number], bias)
            values.append(read(x))
            known = warm[:, position] if warm is not None and position < warm.shape[1] else values[-1]
            token = embed(known) + style
        return torch.stack(values, dim=1)


def windowed(count: int, period: int, overlap: int, run: Callable[[int, int, Tensor | None], Tensor]) -> Tensor:
    """Windows of a clip, each begun with the last ``overlap`` results of the one before.

    Args:
        count: Frames of the clip.
        period: Frames of a window.
        overlap: Frames that windows share.
        run: Start, stop and known results (B, overlap, n) → results (B, stop − start, n).

    Returns:
        (B, count, n).
    """
    parts: list[Tensor] = []
    start, before = 0, None
    while True:
        stop = min(start + period, count)
        warm = before[:, -overlap:] if before is not None and overlap else None
        before = run(start, stop, warm)
        parts.append(before[:, overlap:] if warm is not None else before)
        if stop == count:
            return torch.cat(parts, dim=1)
        start += period - overlap
