"""NED's manipulator: a sequence of expression parameters, translated to a style."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

COEFFICIENTS = 51  # jaw opening, then 50 expression coefficients of FLAME
STYLE = 16
LATENT = 4  # noise from which a label's style is drawn
EMOTIONS = 7
WINDOW = 10  # frames translated together


def _mlp(*widths: int) -> nn.Sequential:
    """Linear layers with a ReLU between neighbours."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class ExpressionTranslator(nn.Module):
    """Translate expression sequences to a style (NED's generator)."""

    def __init__(self) -> None:
        super().__init__()
        self.seq1 = nn.Sequential(*_mlp(COEFFICIENTS + STYLE, 512, 512), nn.ReLU())
        self.LSTM = nn.LSTM(512, 512, num_layers=2, batch_first=True, bidirectional=True)
        self.seq2 = _mlp(1024, 1024, 1024, COEFFICIENTS)

    def forward(self, sequence: Tensor, style: Tensor) -> Tensor:
        """Translate sequences.

        Args:
            sequence: Expression parameters (B, T, 51), raw FLAME values.
            style: Style of each sequence (B, 16).

        Returns:
            The translated parameters (B, T, 51); the sequence itself, not a difference.
        """
        steps = torch.cat([sequence, style[:, None].expand(-1, sequence.shape[1], -1)], dim=2)
        hidden, _ = self.LSTM(self.seq1(steps))
        translated: Tensor = self.seq2(hidden)
        return translated


class MappingNetwork(nn.Module):
    """Draw the style of an emotion label from noise; one head per label."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Sequential(*_mlp(LATENT, 64, 64, 64), nn.ReLU())
        self.unshared = nn.ModuleList(_mlp(64, 64, STYLE) for _ in range(EMOTIONS))

    def forward(self, latent: Tensor, label: int) -> Tensor:
        """Map noise (B, 4) to styles (B, 16) of the head ``label``, in the order of the checkpoint's training."""
        style: Tensor = self.unshared[label](self.shared(latent))
        return style


class SequenceReader(nn.Module):
    """Read a vector from an expression sequence: the style (16), or the realness per emotion (7)."""

    def __init__(self, outputs: int = STYLE) -> None:
        """Build the reader.

        Args:
            outputs: 16 for the style encoder, 7 for the discriminator.
        """
        super().__init__()
        self.seq1 = nn.Sequential(*_mlp(COEFFICIENTS, 512, 256), nn.ReLU())
        self.LSTM = nn.LSTM(256, 128, num_layers=2, batch_first=True, bidirectional=True)
        self.seq2 = _mlp(256, 128, 64, outputs)

    def forward(self, sequence: Tensor) -> Tensor:
        """Read sequences (B, T, 51) into vectors (B, outputs), the mean over time."""
        hidden, _ = self.LSTM(self.seq1(sequence))
        vectors: Tensor = self.seq2(hidden).mean(dim=1)
        return vectors
