"""StyleGAN2's modulated layers (Karras et al., CVPR 2020) without compiled code, with StyleGANEX's dilated ones.

StyleGANEX (Yang et al., ICCV 2023) keeps the first three levels at 32 × 32 and dilates their convolutions instead of
enlarging the map.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LATENT = 512
_EPS = 1e-8  # of the demodulation


def fir_kernel() -> Tensor:
    """StyleGAN2's low-pass filter for doubling a map (4, 4), of sum 4."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return torch.outer(taps, taps) / 16


def blur_kernel() -> Tensor:
    """StyleGANEX's low-pass filter for dilated layers (1, 1, 3, 3), of sum 1."""
    taps = torch.tensor([1.0, 2.0, 1.0])
    return (torch.outer(taps, taps) / 16)[None, None]


def upfirdn(
    x: Tensor,
    kernel: Tensor,
    *,
    up: tuple[int, int] = (1, 1),
    down: tuple[int, int] = (1, 1),
    pad: tuple[int, int] = (0, 0),
) -> Tensor:
    """Insert zeros, pad, convolve, and keep every so many samples.

    Args:
        x: Maps (B, C, H, W).
        kernel: Filter (h, w).
        up: Zeros are inserted until there are so many times the samples, along x and along y.
        down: Every so many samples are kept, along x and along y.
        pad: Zeros before and after, both ways; negative ones crop.

    Returns:
        Filtered maps.
    """
    batch, channels, height, width = x.shape
    x = F.pad(x.view(batch, channels, height, 1, width, 1), (0, up[0] - 1, 0, 0, 0, up[1] - 1))
    x = F.pad(x.reshape(batch, channels, height * up[1], width * up[0]), (*pad, *pad))
    flipped = kernel.flip(0, 1).to(x)[None, None].expand(channels, 1, -1, -1)
    return F.conv2d(x, flipped, groups=channels)[:, :, :: down[1], :: down[0]]


class _Filter(nn.Module):
    """StyleGAN2's low-pass filter, under the name that checkpoints know it by."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", fir_kernel())


class _EqualLinear(nn.Module):
    """A linear layer whose weights are scaled by 1 / √inputs when used."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.bias = nn.Parameter(torch.ones(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight / math.sqrt(self.weight.shape[1]), self.bias)


class ModulatedConv(nn.Module):
    """A convolution whose input channels are scaled by a latent code, sample by sample.

    dilation: StyleGANEX's; 1 for StyleGAN2's own layers. enlarging: whether the layer doubles the map, or stands for
    one that does where it is dilated.
    """

    blur_weight: Tensor
    blur: _Filter

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        dilation: int = 1,
        enlarging: bool = False,
        demodulate: bool = True,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, outputs, inputs, kernel, kernel))
        if enlarging and dilation > 1:
            self.register_buffer("blur_weight", blur_kernel())
        if enlarging:
            self.blur = _Filter()
        self.modulation = _EqualLinear(LATENT, inputs)
        self._dilation, self._enlarging, self._demodulate = dilation, enlarging, demodulate

    def _weights(self, latent: Tensor) -> Tensor:
        """Weights of every sample (B, outputs, inputs, k, k)."""
        inputs, kernel = self.weight.shape[2], self.weight.shape[3]
        scaled = self.weight / math.sqrt(inputs * kernel**2) * self.modulation(latent)[:, None, :, None, None]
        if not self._demodulate:
            return scaled
        return scaled * torch.rsqrt(scaled.square().sum(dim=(2, 3, 4), keepdim=True) + _EPS)

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """Convolve maps as latent codes say.

        A layer that doubles the map inserts zeros between samples, convolves and blurs. Where StyleGANEX keeps the size
        of the map, the same pretrained weights act on samples that lie ``dilation / 2`` apart: the blur comes first,
        and neither step inserts zeros.

        Args:
            x: Maps (B, C, H, W).
            latent: Latent codes (B, 512).

        Returns:
            Maps (B, C', H', W'), twice the size where the layer enlarges and is not dilated.
        """
        batch, channels = x.shape[:2]
        weights = self._weights(latent)
        kernel, d = weights.shape[-1], self._dilation
        if not self._enlarging:
            padding = d * (kernel // 2)
            y = F.conv2d(
                x.reshape(1, -1, *x.shape[2:]), weights.flatten(0, 1), padding=padding, dilation=d, groups=batch
            )
            return y.view(batch, -1, *y.shape[2:])
        # a transposed convolution takes its weights with inputs first
        weights = weights.transpose(1, 2).flatten(0, 1)
        if d > 1:
            blur = self.blur_weight.expand(channels, 1, -1, -1)
            x = F.conv_transpose2d(x, blur, dilation=d // 2, groups=channels)
            y = F.conv_transpose2d(x.reshape(1, -1, *x.shape[2:]), weights, padding=d, dilation=d // 2, groups=batch)
            return y.view(batch, -1, *y.shape[2:])
        y = F.conv_transpose2d(x.reshape(1, -1, *x.shape[2:]), weights, stride=2, groups=batch)
        return upfirdn(y.view(batch, -1, *y.shape[2:]), self.blur.kernel, pad=(1, 1))


class _Scale(nn.Module):
    """The strength of the noise, under its published name."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))


class _Bias(nn.Module):
    """The bias before the activation, under its published name."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))


class StyledConv(nn.Module):
    """A modulated convolution, noise, bias and a leaky ReLU of gain √2."""

    def __init__(self, inputs: int, outputs: int, *, dilation: int = 1, enlarging: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv(inputs, outputs, 3, dilation=dilation, enlarging=enlarging)
        self.noise = _Scale()
        self.activate = _Bias(outputs)

    def forward(self, x: Tensor, latent: Tensor, noise: Tensor | None = None) -> Tensor:
        """Draw maps.

        Args:
            x: Maps (B, C, H, W).
            latent: Latent codes (B, 512).
            noise: Noise (1, 1, H', W'), or None for none.

        Returns:
            Maps (B, C', H', W').
        """
        y = self.conv(x, latent)
        if noise is not None:
            y = y + self.noise.weight * F.adaptive_avg_pool2d(noise, y.shape[2:])
        return math.sqrt(2) * F.leaky_relu(y + self.activate.bias[:, None, None], 0.2)


class ToRgb(nn.Module):
    """A colour picture from a map, added to the enlarged picture of the level below.

    dilation: as in :class:`ModulatedConv`; None for the first level, which has no picture below.
    """

    blur_weight: Tensor
    upsample: _Filter

    def __init__(self, inputs: int, *, dilation: int | None) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))
        if dilation is not None and dilation > 1:
            self.register_buffer("blur_weight", blur_kernel())
        if dilation is not None:
            self.upsample = _Filter()
        self.conv = ModulatedConv(inputs, 3, 1, demodulate=False)
        self._dilation = dilation

    def forward(self, x: Tensor, latent: Tensor, below: Tensor | None = None) -> Tensor:
        """Draw the colours of a level.

        Args:
            x: Maps (B, C, H, W).
            latent: Latent codes (B, 512).
            below: Picture of the level below, enlarged here; where maps keep their size it is blurred instead, as the
                enlargement would blur it. None on the first level.

        Returns:
            Picture (B, 3, H, W).
        """
        y: Tensor = self.conv(x, latent) + self.bias
        if below is None or self._dilation is None:
            return y
        if self._dilation > 1:
            half = self._dilation // 2
            blur = self.blur_weight.expand(3, 1, -1, -1)
            return y + F.conv2d(below, blur, padding=half, dilation=half, groups=3)
        return y + upfirdn(below, self.upsample.kernel, up=(2, 2), pad=(2, 1))
