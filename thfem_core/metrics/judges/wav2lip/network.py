"""The sync expert of Wav2Lip (Prajwal et al., ACM MM 2020), of the paper's sync loss.

217 entries, 16 435 072 parameters. Its public weights are for research only.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

# (width, kernel, stride, padding) per convolution.
_Layer = tuple[int, int, int | tuple[int, int], int]
_FACE: tuple[_Layer, ...] = (
    *((32, 7, 1, 3), (64, 5, (1, 2), 1), (64, 3, 1, 1), (64, 3, 1, 1)),
    *((128, 3, 2, 1), (128, 3, 1, 1), (128, 3, 1, 1), (128, 3, 1, 1)),
    *((256, 3, 2, 1), (256, 3, 1, 1), (256, 3, 1, 1)),
    *((512, 3, 2, 1), (512, 3, 1, 1), (512, 3, 1, 1)),
    *((512, 3, 2, 1), (512, 3, 1, 0), (512, 1, 1, 0)),
)
_SOUND: tuple[_Layer, ...] = (
    *((32, 3, 1, 1), (32, 3, 1, 1), (32, 3, 1, 1)),
    *((64, 3, (3, 1), 1), (64, 3, 1, 1), (64, 3, 1, 1)),
    *((128, 3, 3, 1), (128, 3, 1, 1), (128, 3, 1, 1)),
    *((256, 3, (3, 2), 1), (256, 3, 1, 1), (256, 3, 1, 1)),
    *((512, 3, 1, 0), (512, 1, 1, 0)),
)


class _Convolved(nn.Module):
    """Convolution, normalisation, ReLU; where size and width stay the same, around a skip."""

    def __init__(self, before: int, layer: _Layer) -> None:
        super().__init__()
        after, size, stride, padding = layer
        self.conv_block = nn.Sequential(nn.Conv2d(before, after, size, stride, padding), nn.BatchNorm2d(after))
        self._skips = before == after and stride == 1 and size == 2 * padding + 1 and padding > 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv_block(x)
        return (y + x if self._skips else y).relu()


def _encoder(channels: int, layers: tuple[_Layer, ...]) -> nn.Sequential:
    widths = pairwise([channels, *(layer[0] for layer in layers)])
    return nn.Sequential(*(_Convolved(before, layer) for (before, _), layer in zip(widths, layers, strict=True)))


class Wav2LipExpert(nn.Module):
    """Cosine of the two embeddings: 0 (do not belong together) to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.face_encoder, self.audio_encoder = _encoder(15, _FACE), _encoder(1, _SOUND)

    def embed_face(self, frames: torch.Tensor) -> torch.Tensor:
        """(N, 15, 48, 96): the lower halves of 5 frames, BGR 0..1, frame by frame → unit vectors (N, 512) ≥ 0."""
        return functional.normalize(self.face_encoder(frames).flatten(1))

    def embed_sound(self, mel: torch.Tensor) -> torch.Tensor:
        """(N, 1, 80, 16) log-mel in −4..4 → unit vectors (N, 512) ≥ 0."""
        return functional.normalize(self.audio_encoder(mel).flatten(1))

    def forward(self, mel: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.embed_sound(mel), self.embed_face(frames)
