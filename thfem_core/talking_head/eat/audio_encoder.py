"""The style-conditioned audio encoder, after StarGANv2-VC (Li et al., Interspeech 2021)."""

from __future__ import annotations

from math import sqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .emotion_prompt import WIDTH


class _EncoderBlock(nn.Module):
    """Pre-activation residual block; ``halve``: the mel axis. Sum over √2, so that the variance stays."""

    def __init__(self, in_channels: int, out_channels: int, *, halve: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, in_channels, 3, padding=1)
        self.conv2 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm1 = nn.GroupNorm(8, in_channels)
        self.norm2 = nn.GroupNorm(8, in_channels)
        self._widens, self._halve = in_channels != out_channels, halve
        if self._widens:
            self.conv1x1 = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.leaky_relu(self.norm1(x), 0.2))
        if self._halve:
            # The mean commutes with the 1×1 convolution of the shortcut.
            x, y = F.avg_pool2d(x, (2, 1)), F.avg_pool2d(y, (2, 1))
        y = self.conv2(F.leaky_relu(self.norm2(y), 0.2))
        return ((self.conv1x1(x) if self._widens else x) + y) / sqrt(2)


class _StyleNorm(nn.Module):
    """Adaptive instance norm: (1 + gamma) · normalised + beta, gamma and beta (within ±1) from the style."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(WIDTH, 2 * channels // 16), nn.ReLU(), nn.Linear(2 * channels // 16, 2 * channels)
        )

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        gamma, beta = torch.tanh(self.fc(style))[..., None, None].chunk(2, dim=1)
        return torch.addcmul(beta, 1 + gamma, F.instance_norm(x))


class _DecoderBlock(nn.Module):
    """As :class:`_EncoderBlock` with style norms; ``double``: the mel axis."""

    def __init__(self, in_channels: int, out_channels: int, *, double: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.norm1 = _StyleNorm(in_channels)
        self.norm2 = _StyleNorm(out_channels)
        self._widens, self._double = in_channels != out_channels, double
        if self._widens:
            self.conv1x1 = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        y = F.leaky_relu(self.norm1(x, style), 0.2)
        shortcut = self.conv1x1(x) if self._widens else x
        if self._double:
            shortcut, y = (t.repeat_interleave(2, dim=2) for t in (shortcut, y))
        y = self.conv2(F.leaky_relu(self.norm2(self.conv1(y), style), 0.2))
        return (y + shortcut) / sqrt(2)


class AudioEncoder(nn.Module):
    """Mel windows (N, 1, 80, 11), pitch features (N, 256, 10, 11) and style (N or 1, 128) → (N, 64, 80, 11)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 64, 3, padding=1)
        self.encode = nn.ModuleList(
            _EncoderBlock(a, b, halve=a != b) for a, b in ((64, 128), (128, 256), (256, 512), (512, 512), (512, 512))
        )
        self.decode = nn.ModuleList(
            _DecoderBlock(a, b, double=b < 512)
            for a, b in ((640, 640), (640, 640), (640, 512), (512, 256), (256, 128), (128, 64))
        )
        self.F0_conv = nn.Sequential(_EncoderBlock(256, 128))

    def forward(self, mel: Tensor, pitch: Tensor, style: Tensor) -> Tensor:
        x = self.stem(mel)
        for block in self.encode:
            x = block(x)
        x = torch.cat([x, F.adaptive_avg_pool2d(self.F0_conv(pitch), x.shape[2:])], dim=1)
        for block in self.decode:
            x = block(x, style)
        return x
