"""SyncNet v2, the network of LSE-D and LSE-C (Chung and Zisserman, 2016): 102 entries, 13 631 616 parameters."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import nn

FEATURES = 1024
Modules: TypeAlias = "list[nn.Module]"

WINDOW = 5  # frames per lip window
MFCC_WINDOW = 20  # steps of 10 ms per sound window


def _normalised(conv: nn.Module, norm: nn.Module) -> Modules:
    return [conv, norm, nn.ReLU()]


def _head() -> nn.Sequential:
    return nn.Sequential(*_normalised(nn.Linear(512, 512), nn.BatchNorm1d(512)), nn.Linear(512, FEATURES))


class SyncNet(nn.Module):
    """Lips and sound into one space, where what belongs together lies close (Euclidean, not normalised)."""

    def __init__(self) -> None:
        super().__init__()

        def sound(before: int, after: int, size: int | tuple[int, int] = 3, padding: int = 1) -> Modules:
            return _normalised(nn.Conv2d(before, after, size, padding=padding), nn.BatchNorm2d(after))

        def lip(before: int, after: int, size: tuple[int, int, int], *, stride: int = 1, padding: int = 0) -> Modules:
            conv = nn.Conv3d(before, after, size, stride=(1, stride, stride), padding=(0, padding, padding))
            return _normalised(conv, nn.BatchNorm3d(after))

        def pool(padding: int = 0) -> nn.MaxPool3d:
            return nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, padding, padding))

        self.netcnnaud = nn.Sequential(
            *sound(1, 64),
            nn.Identity(),  # the checkpoint counts a pooling of size 1 here
            *sound(64, 192),
            nn.MaxPool2d(3, stride=(1, 2)),
            *sound(192, 384),
            *sound(384, 256),
            *sound(256, 256),
            nn.MaxPool2d(3, stride=2),
            *sound(256, 512, (5, 4), padding=0),
        )
        self.netfcaud, self.netfclip = _head(), _head()
        self.netcnnlip = nn.Sequential(
            *lip(3, 96, (WINDOW, 7, 7), stride=2),
            pool(),
            *lip(96, 256, (1, 5, 5), stride=2, padding=1),
            pool(1),
            *lip(256, 256, (1, 3, 3), padding=1),
            *lip(256, 256, (1, 3, 3), padding=1),
            *lip(256, 256, (1, 3, 3), padding=1),
            pool(),
            *lip(256, 512, (1, 6, 6)),
        )

    def sound_features(self, mfcc: torch.Tensor) -> torch.Tensor:
        """(N, 1, 13, 20) coefficients × steps of 10 ms → (N, 1024)."""
        return self.netfcaud(self.netcnnaud(mfcc).flatten(1))

    def lip_convolutions(self, frames: torch.Tensor) -> torch.Tensor:
        """(N, 3, T, 224, 224) BGR 0..255, T ≥ 5 → (N · (T − 4), 512), clip by clip: one row per window of 5 frames.

        Only the first layer looks along time, so T frames cost no more than T windows, and give the same.
        """
        return self.netcnnlip(frames)[..., 0, 0].transpose(1, 2).flatten(0, 1)

    def lip_features(self, frames: torch.Tensor) -> torch.Tensor:
        """As :meth:`lip_convolutions`, then the head: (N · (T − 4), 1024)."""
        return self.netfclip(self.lip_convolutions(frames))
