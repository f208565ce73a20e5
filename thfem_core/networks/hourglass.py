"""The U-shaped network of the first-order-model family."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from .blocks import ConvNorm, DownBlock, Folds, UpBlock


class _Encoder(nn.Module):
    def __init__(self, widths: list[int], dimensions: int) -> None:
        super().__init__()
        self.down_blocks = nn.ModuleList(DownBlock(a, b, dimensions=dimensions) for a, b in pairwise(widths))


class _Decoder(nn.Module):
    folds: Folds = ()
    conv: nn.Module
    norm: nn.Module

    def __init__(self, inputs: list[int], outputs: list[int], dimensions: int) -> None:
        super().__init__()
        self.up_blocks = nn.ModuleList(
            UpBlock(a, b, dimensions=dimensions) for a, b in zip(inputs, outputs, strict=True)
        )


class Hourglass(nn.Module):
    """(B, in_channels, [D,] H, W), sides divisible by 2**levels → (B, ``out_channels``, [D,] H, W).

    ``levels`` halvings of height and width (never of depth), as many doublings, each result joined with the skip of its
    size behind it; the last skip is the input itself. In three dimensions one more convolution follows.
    """

    MOST = 1024

    def __init__(self, in_channels: int, *, base: int, dimensions: int = 2, levels: int = 5) -> None:
        super().__init__()
        widths = [in_channels, *(min(self.MOST, base << level) for level in range(1, levels + 1))]
        outputs = [min(self.MOST, base << level) for level in reversed(range(levels))]
        inputs = [widths[-1], *(out + skip for out, skip in zip(outputs, reversed(widths[1:-1]), strict=False))]
        self.out_channels = base + in_channels
        self.encoder = _Encoder(widths, dimensions)
        self.decoder = _Decoder(inputs, outputs, dimensions)
        self._last = dimensions == 3
        if self._last:
            last = ConvNorm(self.out_channels, self.out_channels, dimensions=3)
            self.decoder.conv, self.decoder.norm = last.conv, last.norm
            self.decoder.folds = last.folds

    def forward(self, x: Tensor) -> Tensor:
        skips = [x]
        for block in self.encoder.down_blocks:
            skips.append(block(skips[-1]))
        y = skips.pop()
        for block in self.decoder.up_blocks:
            y = torch.cat([block(y), skips.pop()], dim=1)
        return torch.relu(self.decoder.norm(self.decoder.conv(y))) if self._last else y
