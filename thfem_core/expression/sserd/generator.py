"""SSERD's generator: StyleGANEX, fed with features of the source at its first seven levels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .back_end import Noise
from .fusion import Fusion
from .modulated import LATENT, StyledConv, ToRgb

CODES = 18
_WIDTHS = (512, 512, 512, 512, 256, 128, 64, 32)  # channels after each of the eight levels
_DILATIONS = (8, 4, 2, 1, 1, 1, 1, 1)
_NOISES = (4, 8, 8, 16, 16, 32, 32, 64, 64, 128, 128, 256, 256, 512, 512, 1024, 1024)


class _Noises(nn.Module):
    """Noise of every layer, as the checkpoint holds it."""

    def __init__(self) -> None:
        super().__init__()
        for index, side in enumerate(_NOISES):
            self.register_buffer(f"noise_{index}", torch.zeros(1, 1, side, side))


class _Constant(nn.Module):
    """StyleGAN's learnt input, which this path replaces by features of the source."""

    def __init__(self) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.zeros(1, LATENT, 4, 4))


class _Mapping(nn.Sequential):
    """StyleGAN's mapping network, which this path does not run."""

    def __init__(self) -> None:
        super().__init__(nn.Identity(), *(nn.Linear(LATENT, LATENT) for _ in range(8)))


class Generator(nn.Module):
    """Draw a picture of 1024 × 1024 from latent codes and features."""

    def __init__(self) -> None:
        super().__init__()
        self.style = _Mapping()
        self.input = _Constant()
        self.conv1 = StyledConv(LATENT, LATENT, dilation=8)
        self.to_rgb1 = ToRgb(LATENT, dilation=None)
        convs: list[nn.Module] = []
        rgbs: list[nn.Module] = []
        inputs = LATENT
        for width, dilation in zip(_WIDTHS, _DILATIONS, strict=True):
            convs.append(StyledConv(inputs, width, dilation=dilation, enlarging=True))
            convs.append(StyledConv(width, width, dilation=max(dilation // 2, 1)))
            rgbs.append(ToRgb(width, dilation=dilation))
            inputs = width
        self.convs = nn.ModuleList(convs)
        self.to_rgbs = nn.ModuleList(rgbs)
        self.noises = _Noises()

    def forward(
        self,
        latent: Tensor,
        features: Tensor,
        skips: Sequence[Tensor],
        fusions: Sequence[Fusion],
        *,
        edit: Tensor | None = None,
        noise: Noise = "none",
        random: torch.Generator | None = None,
    ) -> Tensor:
        """Draw pictures.

        Args:
            latent: Latent codes (B, 18, 512).
            features: What replaces StyleGAN's constant (B, 512, H / 8, W / 8).
            skips: Features of the source for the first seven levels.
            fusions: The layers that merge them in.
            edit: Emotion codes (B, 18, 512) that say where the source must change; None to reconstruct it.
            noise: ``none``; ``fixed`` is the checkpoint's own; ``random`` is fresh at each call, as published, and
                flickers in a video.
            random: Source of random noise, on the CPU.

        Returns:
            Pictures (B, 3, 4 · H, 4 · W), about -1..1.
        """
        x = self.conv1(features, latent[:, 0], self._noise(0, noise, random))
        picture = self.to_rgb1(x, latent[:, 1])
        for level, to_rgb in enumerate(self.to_rgbs):
            first = 2 * level + 1
            if level < len(fusions):
                query = None if edit is None else edit[:, first]
                x, picture = fusions[level](skips[level], x, picture, query)
            for layer in (first, first + 1):
                x = self.convs[layer - 1](x, latent[:, layer], self._noise(layer, noise, random))
            picture = to_rgb(x, latent[:, first + 2], picture)
        return picture

    def _noise(self, layer: int, noise: Noise, random: torch.Generator | None) -> Tensor | None:
        """Noise of one layer; larger maps repeat it, smaller ones average it."""
        if noise == "none":
            return None
        stored: Tensor = getattr(self.noises, f"noise_{layer}")
        return stored if noise == "fixed" else torch.randn(stored.shape, generator=random).to(stored)
