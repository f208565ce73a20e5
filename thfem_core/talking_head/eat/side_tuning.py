"""EAT's emotional deformation network: what an emotion does to a face, whatever is said."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .down_res import TokenPyramid
from .emotion_prompt import WIDTH, EmotionPrompts
from .keypoint_detector import KEYPOINTS
from .transformers import Encoder, Positions


class _Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()


class EmotionalDeformation(nn.Module):
    """Adapted face maps (S, 32, 64, 64) and prompts (of S or 1) → keypoint offsets (S, 45)."""

    def __init__(self) -> None:
        super().__init__()
        self.pos_enc = Positions()
        self.transformer = _Transformer()
        self.emokp = nn.Linear(WIDTH, 3 * KEYPOINTS)
        self.decodefeature_extract = TokenPyramid(32, 32, 48, 64, 96, WIDTH)

    def forward(self, face: Tensor, prompts: EmotionPrompts) -> Tensor:
        token = self.decodefeature_extract(face)[:, None]
        emotion, deep = prompts.emotion.expand(len(face), -1)[:, None], prompts.deep.expand(len(face), -1, -1)
        tokens = self.transformer.encoder(self.pos_enc(torch.cat([token, emotion, deep], dim=1)))
        return self.emokp(tokens[:, 1:].mean(dim=1))
