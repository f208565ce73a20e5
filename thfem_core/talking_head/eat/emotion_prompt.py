"""EAT's emotion prompts: vectors that tell its transformers and its generator which emotion to show."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

# The order of the published heads. "con" is contempt, which THFEM leaves out.
EMOTIONS = ("ang", "con", "dis", "fea", "hap", "neu", "sad", "sur")
NOISE = 16
WIDTH = 128
DEEP = 6


class EmotionPrompts(NamedTuple):
    """What an emotion is to the networks.

    emotion: (B, 128), for adapters and the generator.
    deep: (B, 6, 128), one prompt for each transformer layer.
    """

    emotion: Tensor
    deep: Tensor


def _layers(*widths: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return layers


class _Mapping(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Sequential(*_layers(NOISE, 512, 512, 512, 512))
        self.unshared = nn.ModuleList(
            nn.Sequential(*_layers(512, 512, 512, 512), nn.Linear(512, (1 + DEEP) * WIDTH)) for _ in EMOTIONS
        )


class EmotionPromptNetwork(nn.Module):
    """Maps noise and emotion labels to prompts."""

    def __init__(self) -> None:
        super().__init__()
        self.mappingnet = _Mapping()

    def forward(self, z: Tensor, labels: Tensor) -> EmotionPrompts:
        """Compute prompts.

        Args:
            z: (B, 16), standard normal, drawn once per clip.
            labels: int64 (B,), places in :data:`EMOTIONS`.

        Returns:
            The prompts of B emotions.
        """
        shared = self.mappingnet.shared(z)
        heads = [self.mappingnet.unshared[label](row) for label, row in zip(labels.tolist(), shared, strict=True)]
        prompts = torch.stack(heads).view(-1, 1 + DEEP, WIDTH)
        return EmotionPrompts(emotion=prompts[:, 0], deep=prompts[:, 1:])
