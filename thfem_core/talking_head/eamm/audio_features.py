"""EAMM's recurrent network from sound and head pose to keypoint features."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from ...networks.blocks import DownBlock
from .keypoint_detectors import FEATURES
from .style_branch import style_branch

AUDIO_GAIN = 1.6
WINDOW = (28, 12)  # steps of 10 ms, cepstral coefficients
POSE = 6


def _norm_relu(convolution: nn.Module, channels: int) -> list[nn.Module]:
    return [convolution, nn.BatchNorm2d(channels), nn.ReLU()]


def _audio_layer(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(*_norm_relu(nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False), out_channels))


class AudioFeatures(nn.Module):
    """A source picture (1, 3, 256, 256), MFCC windows (T, 28, 12) and head poses (T, 6: yaw, pitch, roll in degrees,
    scale, x, y) of a whole clip → features (T, 35, 64, 64). In the checkpoint: ``audio_feature``."""

    unused: ClassVar[tuple[str, ...]] = ("generator",)

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 4, 8, 16, 32, 64, 128, 256, 512)
        self.down_blocks = nn.ModuleList(DownBlock(a, b) for a, b in pairwise(widths))
        self.pose_encoder = nn.Sequential(nn.Linear(POSE, 128), nn.ReLU(), nn.Linear(128, 256), nn.ReLU())
        self.audio_eocder = nn.Sequential(
            _audio_layer(1, 64),
            _audio_layer(64, 128),
            nn.MaxPool2d(3, (1, 2)),
            _audio_layer(128, 256),
            _audio_layer(256, 256),
            _audio_layer(256, 512),
            nn.MaxPool2d(3, 2),
        )
        self.audio_eocder_fc = nn.Sequential(nn.Linear(12288, 2048), nn.ReLU(), nn.Linear(2048, 256), nn.ReLU())
        self.lstm = nn.LSTM(1024, 256, num_layers=3, batch_first=True)
        layers = _norm_relu(nn.ConvTranspose2d(256, 256, 6, 2, 1), 256)
        for a, b in ((256, 128), (128, 128), (128, 128)):
            layers += _norm_relu(nn.ConvTranspose2d(a, b, 4, 2, 1), b)
        self.decon = nn.Sequential(*layers, nn.ConvTranspose2d(128, FEATURES, 4, 2, 1))
        self.generator = style_branch()

    def image_code(self, image: Tensor) -> Tensor:
        """(B, 3, 256, 256) → (B, 512)."""
        for block in self.down_blocks:
            image = block(image)
        return image.flatten(1)

    def step_codes(self, mfcc: Tensor, poses: Tensor) -> Tensor:
        """(T, 512): what each step brings beside the picture."""
        audio = self.audio_eocder_fc(self.audio_eocder(mfcc[:, None]).flatten(1)) * AUDIO_GAIN
        return torch.cat([audio, self.pose_encoder(poses)], dim=1)

    def recur(
        self, image_code: Tensor, step_codes: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Run the LSTM on from ``state`` (None: the beginning of the clip) over (T, 512) → (T, 256), new state."""
        steps = torch.cat([image_code.expand(len(step_codes), -1), step_codes], dim=1)
        hidden, state = self.lstm(steps[None], state and (state[0], state[1]))
        return hidden[0], state

    def features(self, hidden: Tensor) -> Tensor:
        """(T, 256) → (T, 35, 64, 64)."""
        return self.decon(hidden[..., None, None])

    def forward(self, image: Tensor, mfcc: Tensor, poses: Tensor) -> Tensor:
        return self.features(self.recur(self.image_code(image), self.step_codes(mfcc, poses))[0])
