"""EAT's emotion prompts: what an emotion is to its transformers and generator."""

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
    """emotion: (B, 128). deep: (B, 6, 128), one per transformer layer."""

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
    """Noise z (B, 16) ~ N(0, 1), drawn once per clip, and labels (B,) int64 → :class:`EmotionPrompts`."""

    def __init__(self) -> None:
        super().__init__()
        self.mappingnet = _Mapping()

    def forward(self, z: Tensor, labels: Tensor) -> EmotionPrompts:
        shared = self.mappingnet.shared(z)
        heads = [self.mappingnet.unshared[label](row) for label, row in zip(labels.tolist(), shared, strict=True)]
        prompts = torch.stack(heads).view(-1, 1 + DEEP, WIDTH)
        return EmotionPrompts(emotion=prompts[:, 0], deep=prompts[:, 1:])
