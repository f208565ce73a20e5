"""What PC-Talk hears: one vector per frame of 25 a second, from a mel spectrogram."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from ...audio.mel import log_mel
from ...audio.profile import WAV2LIP

FRAME_RATE = 25
WIDTH = 512
_MEL_RATE, _STEPS = 80, 16  # mel columns per second, and per frame
_Layer = tuple[int, int, int | tuple[int, int], int]  # channels, kernel, stride, padding
_LAYERS: tuple[_Layer, ...] = (
    *((32, 3, 1, 1), (32, 3, 1, 1), (32, 3, 1, 1)),
    *((64, 3, (3, 1), 1), (64, 3, 1, 1), (64, 3, 1, 1)),
    *((128, 3, 3, 1), (128, 3, 1, 1), (128, 3, 1, 1)),
    *((256, 3, (3, 2), 1), (256, 3, 1, 1)),
    *((512, 3, 1, 0), (WIDTH, 1, 1, 0)),
)


class _Unit(nn.Module):
    """relu(bn(conv x)), with x added before the ReLU where size and channels stay."""

    def __init__(self, before: int, layer: _Layer) -> None:
        super().__init__()
        channels, kernel, stride, padding = layer
        self.conv_block = nn.Sequential(nn.Conv2d(before, channels, kernel, stride, padding), nn.BatchNorm2d(channels))
        self._skips = before == channels and stride == 1 and padding == 1

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv_block(x)
        return torch.relu(y + x if self._skips else y)


class AudioEncoder(nn.Module):
    """Mel windows (N, 1, 80, 16) → (N, 512)."""

    def __init__(self) -> None:
        super().__init__()
        widths = pairwise([1, *(layer[0] for layer in _LAYERS)])
        self.audio_encoder = nn.Sequential(
            *(_Unit(before, layer) for (before, _), layer in zip(widths, _LAYERS, strict=True))
        )

    def forward(self, windows: Tensor) -> Tensor:
        return self.audio_encoder(windows).flatten(1)


def frame_count(columns: int) -> int:
    """Frames that ``columns`` of mel give: about 0.2 s fewer than the sound has."""
    return max(1, int(max(1, columns - _STEPS) / _MEL_RATE * FRAME_RATE))


def mel_windows(mel: Tensor, start: int, stop: int) -> Tensor:
    """Windows of frames [start, stop) out of a mel spectrogram (columns, 80), its last column repeated at the end:
    (stop − start, 1, 80, 16)."""
    first = torch.arange(start, stop, device=mel.device) * _MEL_RATE // FRAME_RATE
    columns = (first[:, None] + torch.arange(_STEPS, device=mel.device)).clamp_max(len(mel) - 1)
    return mel[columns].mT[:, None]


def speech_mel(samples: np.ndarray) -> Tensor:
    """(N,) sound at 16 kHz → (1 + N // 200, 80)."""
    return log_mel(torch.from_numpy(np.ascontiguousarray(samples, np.float32)), WAV2LIP)


@torch.inference_mode()
def encode_speech(encoder: AudioEncoder, mel: Tensor, *, batch: int = 64) -> Tensor:
    """(columns, 80) → (frames, 512), on the encoder's device."""
    device = next(encoder.parameters()).device
    count = frame_count(len(mel))
    parts = (encoder(mel_windows(mel, start, min(start + batch, count)).to(device)) for start in range(0, count, batch))
    return torch.cat(list(parts))
