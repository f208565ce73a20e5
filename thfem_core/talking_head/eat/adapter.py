"""How an emotion changes a feature map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .emotion_prompt import WIDTH

_BOTTLENECK = 4


class EmotionAdapter(nn.Module):
    """Scales and shifts the channels of a feature map by an emotion: (1 + gamma) · feature + beta, both within ±1."""

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(WIDTH, _BOTTLENECK), nn.ReLU(), nn.Linear(_BOTTLENECK, 2 * channels))

    def forward(self, feature: Tensor, emotion: Tensor) -> Tensor:
        """Adapt a map (N, 32, …) to an emotion (N or 1, 128)."""
        gamma, beta = torch.tanh(self.fc(emotion)).view(len(emotion), -1, *(1,) * (feature.dim() - 2)).chunk(2, dim=1)
        return torch.addcmul(beta, 1 + gamma, feature)
