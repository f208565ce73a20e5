"""SSERD's emotion attention: which change of the latent codes brings the reference's emotion."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from .modulated import LATENT

_HEADS, _WIDTH = 8, 64  # of the transformer


class CrossAttention(nn.Module):
    """Ask the reference's codes with those of the source (a post-norm layer of 4 heads)."""

    def __init__(self) -> None:
        super().__init__()
        self.multihead_attn = nn.MultiheadAttention(LATENT, 4, batch_first=True)
        self.linear1 = nn.Linear(LATENT, 2 * LATENT)
        self.linear2 = nn.Linear(2 * LATENT, LATENT)
        self.norm1 = nn.LayerNorm(LATENT)  # in the checkpoint, never used
        self.norm2 = nn.LayerNorm(LATENT)
        self.norm3 = nn.LayerNorm(LATENT)

    def forward(self, source: Tensor, reference: Tensor) -> Tensor:
        """Codes of source and reference (B, 18, 512) → attended codes (B, 18, 512)."""
        attended, _ = self.multihead_attn(source, reference, reference, need_weights=False)
        tokens = self.norm2(source + attended)
        result: Tensor = self.norm3(tokens + self.linear2(F.gelu(self.linear1(tokens))))
        return result


class _SelfAttention(nn.Module):
    """x plus attention over the tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(LATENT)
        self.to_qkv = nn.Linear(LATENT, 3 * _HEADS * _WIDTH, bias=False)
        self.to_out = nn.Sequential(nn.Linear(_HEADS * _WIDTH, LATENT))

    def forward(self, x: Tensor) -> Tensor:
        split = self.to_qkv(self.norm(x)).unflatten(2, (3, _HEADS, _WIDTH)).permute(2, 0, 3, 1, 4)
        heads = F.scaled_dot_product_attention(*split)
        return x + self.to_out(heads.transpose(1, 2).flatten(2))


class _FeedForward(nn.Module):
    """x plus a perceptron, whose published hidden width is 1."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.LayerNorm(LATENT), nn.Linear(LATENT, 1), nn.GELU(), nn.Identity(), nn.Linear(1, LATENT)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.net(x)


class EmotionTransformer(nn.Module):
    """Two pre-norm layers of 8 heads that turn attended codes into emotion codes."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(LATENT)
        self.layers = nn.ModuleList(nn.Sequential(_SelfAttention(), _FeedForward()) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """Codes (B, 18, 512) → emotion codes (B, 18, 512)."""
        for layer in self.layers:
            x = layer(x)
        result: Tensor = self.norm(x)
        return result
