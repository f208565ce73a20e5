"""What PC-Talk hears: one vector per frame of 25 a second, from a mel spectrogram."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from ...audio.mel import columns_of_span, pre_emphasised
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


def mel_columns(samples: np.ndarray, start: int, stop: int) -> Tensor:
    """Columns [start, stop) of the log-mel spectrogram of a sound.

    Args:
        samples: (N,) at 16 kHz.
        start: First column; it is centred at sample ``start · hop``.
        stop: One past the last column.

    Returns:
        (stop − start, 80), the same as those columns of the whole spectrogram; silence lies beyond the ends.
    """
    half, hop = WAV2LIP.n_fft // 2, WAV2LIP.hop_length
    first, last = start * hop - half, (stop - 1) * hop + half
    inner = np.asarray(samples[max(first - 1, 0) : max(min(last, len(samples)), 0)], np.float32)
    span = pre_emphasised(torch.from_numpy(np.array(inner)), WAV2LIP.pre_emphasis)
    if first > 0:  # this sample only served the one after it
        span = span[1:]
    padded = torch.nn.functional.pad(span, (max(-first, 0), last - first - len(span) - max(-first, 0)))
    return columns_of_span(padded, WAV2LIP)


class SpeechFeatures:
    """What PC-Talk hears of a sound, computed where it is asked for: ``features[start:stop]`` is (n, 512)."""

    def __init__(self, encoder: AudioEncoder, samples: np.ndarray) -> None:
        """Begin with a sound.

        Args:
            encoder: The sound encoder, where it shall run.
            samples: (N,) at 16 kHz.
        """
        self._encoder, self._samples = encoder, samples
        self._columns = 1 + len(samples) // WAV2LIP.hop_length

    def __len__(self) -> int:
        return frame_count(self._columns)

    @torch.inference_mode()
    def __getitem__(self, frames: slice) -> Tensor:
        start, stop, _ = frames.indices(len(self))
        first = start * _MEL_RATE // FRAME_RATE
        last = min((stop - 1) * _MEL_RATE // FRAME_RATE + _STEPS, self._columns)
        mel = mel_columns(self._samples, first, max(last, first + 1))
        places = torch.arange(start, stop)[:, None] * _MEL_RATE // FRAME_RATE + torch.arange(_STEPS)
        windows = mel[(places - first).clamp_max(len(mel) - 1)].mT[:, None]
        return self._encoder(windows.to(next(self._encoder.parameters()).device))
