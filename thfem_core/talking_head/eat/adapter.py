"""How an emotion changes a feature map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .emotion_prompt import WIDTH

_BOTTLENECK = 4


class EmotionAdapter(nn.Module):
    """(1 + gamma) · map + beta per channel, gamma and beta (within ±1) from the prompt; no normalisation.

    map: (N, 32, …). emotion: (N or 1, 128).
    """

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(WIDTH, _BOTTLENECK), nn.ReLU(), nn.Linear(_BOTTLENECK, 2 * channels))

    def forward(self, feature: Tensor, emotion: Tensor) -> Tensor:
        gamma, beta = torch.tanh(self.fc(emotion)).view(len(emotion), -1, *(1,) * (feature.dim() - 2)).chunk(2, dim=1)
        return torch.addcmul(beta, 1 + gamma, feature)
