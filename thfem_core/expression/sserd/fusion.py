"""How SSERD merges features of the source into the generator, and holds them back where the emotion changes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .modulated import LATENT


class _Style(nn.Module):
    """Scale and shift of an instance norm, from a code."""

    def __init__(self, code: int, channels: int) -> None:
        super().__init__()
        self.style = nn.Linear(code, 2 * channels)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        scale, shift = self.style(code)[:, :, None, None].chunk(2, dim=1)
        return scale * F.instance_norm(x) + shift


class Fusion(nn.Module):
    """Merge a skip connection into the map and the picture of one level.

    attention: whether emotion codes mask the skip. picture: whether the picture is merged too. Checkpoints exist with
    and without either.
    """

    def __init__(self, inputs: int, outputs: int, *, attention: bool = True, picture: bool = True) -> None:
        super().__init__()
        self.transform = nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.LeakyReLU())
        self.fusion_out = nn.Conv2d(2 * outputs, outputs, 3, padding=1)
        self.fusion_skip = nn.Conv2d(outputs + 3, 3, 3, padding=1) if picture else None
        if attention:
            self.linear = nn.Sequential(
                nn.Linear(LATENT, outputs), nn.LeakyReLU(0.2), nn.Linear(outputs, outputs), nn.LeakyReLU(0.2)
            )
            self.norm = _Style(outputs, 2 * outputs)
            self.conv = nn.Conv2d(2 * outputs, 1, 3, padding=1)
        self._attention = attention

    def forward(self, skip: Tensor, x: Tensor, picture: Tensor, query: Tensor | None) -> tuple[Tensor, Tensor]:
        """Merge.

        Args:
            skip: Features of the source (B, inputs, H, W).
            x: Map of the generator (B, outputs, H, W).
            picture: Picture of the generator (B, 3, H, W).
            query: Emotion code of this level (B, 512), or None to let all of the source through.

        Returns:
            The merged map and the merged picture.
        """
        skip = self.transform(skip)
        if query is not None and self._attention:
            compared = self.norm(torch.cat([x, (x - skip).abs()], dim=1), self.linear(query))
            skip = skip * torch.tanh(torch.relu(self.conv(compared)))
        merged = self.fusion_out(torch.cat([x, skip], dim=1))
        if self.fusion_skip is not None:
            picture = self.fusion_skip(torch.cat([picture, skip], dim=1))
        return merged, picture
