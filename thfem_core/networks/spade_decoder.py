"""A picture from a warped feature map, by spatially adaptive normalisation (Park et al., CVPR 2019): the decoder of EAT
and of LivePortrait.

The feature map itself is the "segmentation" that conditions every normalisation.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import spectral_norm

from .acceleration import use_winograd
from .enlarged_conv import EnlargedConv


class Spade(nn.Module):
    """instance norm(x) · (1 + gamma) + beta, gamma and beta from the conditioning map enlarged to the size of x."""

    def __init__(self, channels: int, *, condition: int, hidden: int, enlarge: int) -> None:
        super().__init__()
        self.mlp_shared = nn.Sequential(nn.Conv2d(condition, hidden, 3, padding=1), nn.ReLU())
        self.mlp_gamma = nn.Conv2d(hidden, channels, 3, padding=1)
        self.mlp_beta = nn.Conv2d(hidden, channels, 3, padding=1)
        self._factor = enlarge
        self.enlarge: nn.Module = nn.Upsample(scale_factor=enlarge, mode="nearest") if enlarge > 1 else nn.Identity()

    def merge(self) -> None:
        """One convolution for gamma + 1 and beta (for inference): the hidden map is read once."""
        if hasattr(self, "modulation"):
            return
        gamma, beta = self.mlp_gamma, self.mlp_beta
        assert gamma.bias is not None and beta.bias is not None
        with torch.device("meta"):
            merged = nn.Conv2d(gamma.in_channels, 2 * gamma.out_channels, 3, padding=1)
        merged.weight = nn.Parameter(torch.cat([gamma.weight, beta.weight]), requires_grad=False)
        merged.bias = nn.Parameter(torch.cat([gamma.bias + 1, beta.bias]), requires_grad=False)
        self.modulation: nn.Module = merged
        del self.mlp_gamma, self.mlp_beta

    def accelerate(self) -> None:
        """Compute the hidden map at the conditioning map's own size (see :class:`...networks.EnlargedConv`)."""
        self.merge()
        first = self.mlp_shared[0]
        if self._factor > 1 and isinstance(first, nn.Conv2d):
            self.mlp_shared[0] = EnlargedConv(first, self._factor)
            self.enlarge = nn.Identity()

    def forward(self, normed: Tensor, condition: Tensor) -> Tensor:
        """normed: :func:`instance_norm` of x."""
        hidden = self.mlp_shared(self.enlarge(condition))
        if hasattr(self, "modulation"):
            scale, shift = self.modulation(hidden).chunk(2, dim=1)
        else:
            scale, shift = 1 + self.mlp_gamma(hidden), self.mlp_beta(hidden)
        return torch.addcmul(shift, scale, normed)


def instance_norm(x: Tensor) -> Tensor:
    """(N, C, H, W), each channel to mean 0 and variance 1; by the group norm, which is fast where channels lie last."""
    return F.group_norm(x, x.shape[1])


class SpadeBlock(nn.Module):
    """Residual block of two spectrally normalised convolutions with :class:`Spade` before each.

    condition: channels of the conditioning map. hidden: channels between it and the modulation. enlarge: size of the
    block's result over the conditioning map's. Where its channels change, its input is enlarged twice.
    """

    def __init__(self, in_channels: int, out_channels: int, *, condition: int, hidden: int, enlarge: int = 1) -> None:
        super().__init__()
        middle = min(in_channels, out_channels)
        self.conv_0 = spectral_norm(nn.Conv2d(in_channels, middle, 3, padding=1))
        self.conv_1 = spectral_norm(nn.Conv2d(middle, out_channels, 3, padding=1))
        self._learned = in_channels != out_channels
        if self._learned:
            self.conv_s = spectral_norm(nn.Conv2d(in_channels, out_channels, 1, bias=False))
        self.norm_0 = Spade(in_channels, condition=condition, hidden=hidden, enlarge=enlarge)
        self.norm_1 = Spade(middle, condition=condition, hidden=hidden, enlarge=enlarge)
        if self._learned:
            self.norm_s = Spade(in_channels, condition=condition, hidden=hidden, enlarge=enlarge)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        normed = instance_norm(x)
        if self._learned:
            # Repeating pixels changes neither mean nor variance, so it comes after the norm, which both branches share.
            normed = F.interpolate(normed, scale_factor=2, mode="nearest")
            x = self.conv_s(self.norm_s(normed, condition))
        y = self.conv_0(F.leaky_relu(self.norm_0(normed, condition), 0.2))
        return x + self.conv_1(F.leaky_relu(self.norm_1(instance_norm(y), condition), 0.2))


class SpadeDecoder(nn.Module):
    """Features (N, 256, 64, 64) → :meth:`features` (N, 64, 256, 256) → :meth:`image` in 0..1."""

    MIDDLE = 6

    def __init__(self, *, features: int = 256, width: int = 512, hidden: int = 128, upscale: int = 1) -> None:
        """Build the network.

        Args:
            features: Channels of the conditioning feature map.
            width: Channels of the widest blocks; eight times those of the last map.
            hidden: Channels between the conditioning map and each modulation.
            upscale: Size of the picture over the last map's: 1 → (N, 3, 256, 256), 2 → (N, 3, 512, 512).
        """
        super().__init__()
        sizes = {"condition": features, "hidden": hidden}
        self.fc = nn.Conv2d(features, width, 3, padding=1)
        for number in range(self.MIDDLE):
            setattr(self, f"G_middle_{number}", SpadeBlock(width, width, **sizes))
        self.up_0 = SpadeBlock(width, width // 2, enlarge=2, **sizes)
        self.up_1 = SpadeBlock(width // 2, width // 8, enlarge=4, **sizes)
        last = nn.Conv2d(width // 8, 3 * upscale**2, 3, padding=1)
        self.conv_img: nn.Module = nn.Sequential(last, nn.PixelShuffle(upscale)) if upscale > 1 else last

    def merge(self) -> None:
        """For inference: :meth:`Spade.merge` everywhere."""
        for module in list(self.modules()):
            if isinstance(module, Spade):
                module.merge()

    def accelerate(self) -> None:
        """For inference in float32 on a CPU, after folding: fewer multiplications."""
        for module in list(self.modules()):
            if isinstance(module, Spade):
                module.accelerate()
        use_winograd(self)

    def features(self, condition: Tensor) -> Tensor:
        x = self.fc(condition)
        for number in range(self.MIDDLE):
            x = getattr(self, f"G_middle_{number}")(x, condition)
        return self.up_1(self.up_0(x, condition), condition)

    def image(self, features: Tensor) -> Tensor:
        return torch.sigmoid(self.conv_img(F.leaky_relu(features, 0.2)).float())

    def forward(self, condition: Tensor) -> Tensor:
        return self.image(self.features(condition))
