"""Pitch features: the convolutional part of a joint detection and classification network (Kum & Nam, 2019)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn


def _two_convolutions(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.LeakyReLU(0.01),
        nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
    )


class _ResBlock(nn.Module):
    """Halves the mel axis, then adds two convolutions to a 1×1 convolution."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.pre_conv = nn.Sequential(nn.BatchNorm2d(in_channels), nn.LeakyReLU(0.01), nn.MaxPool2d((1, 2)))
        self.conv = _two_convolutions(in_channels, out_channels)
        self.conv1by1 = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pre_conv(x)
        return self.conv(pooled) + self.conv1by1(pooled)


class F0Network(nn.Module):
    """Mel windows (N, 1, 80, T) → features (N, 256, 10, T).

    Its pitch and voicing heads are in the checkpoint, but nothing reads them.
    """

    unused: ClassVar[tuple[str, ...]] = (
        "detector_conv",
        "bilstm_classifier",
        "bilstm_detector",
        "classifier",
        "detector",
    )

    def __init__(self) -> None:
        super().__init__()
        self.conv_block = _two_convolutions(1, 64)
        self.res_block1 = _ResBlock(64, 128)
        self.res_block2 = _ResBlock(128, 192)
        self.res_block3 = _ResBlock(192, 256)
        self.pool_block = nn.Sequential(nn.BatchNorm2d(256), nn.LeakyReLU(0.01))
        self.detector_conv = nn.Sequential(nn.Conv2d(640, 256, 1, bias=False), nn.BatchNorm2d(256))
        self.bilstm_classifier = nn.LSTM(512, 256, bidirectional=True)
        self.bilstm_detector = nn.LSTM(512, 256, bidirectional=True)
        self.classifier = nn.Linear(512, 1)
        self.detector = nn.Linear(512, 2)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.conv_block(mel.transpose(2, 3))
        x = self.res_block3(self.res_block2(self.res_block1(x)))
        return self.pool_block(x).transpose(2, 3)
