"""SyncNet v2 with the crops and the sound features of Wav2Lip's evaluation.

One thing differs: face boxes come from the face mesh, not from the S3FD detector, whose boxes are about as large.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

import cv2
import numpy as np
import torch

from ....audio.mfcc import mfcc_at
from ....audio.speech import Speech
from ....media.frame import Box, Frame
from ....options import Options
from ....registry import Resources
from ..loading import device_of, load_network
from ..protocol import SeenFace
from .back_end import BACK_END, SYNCNET
from .network import MFCC_WINDOW, WINDOW, SyncNet

_MEDIAN = 13  # frames of the median that steadies the box
_MARGIN = 0.4
_GREY = 110
_SIZE = 224
_BLOCK = 16  # windows per run of the network
_STEP = 160  # samples between MFCC rows; 4 rows per frame


def box_centre(landmarks: np.ndarray) -> tuple[float, float, float]:
    """(x, y, half of the longer side) of the box around a face's (478, 3) landmarks, in pixels."""
    low, high = landmarks[:468, :2].min(axis=0), landmarks[:468, :2].max(axis=0)
    x, y = (low + high) / 2
    return float(x), float(y), float((high - low).max() / 2)


def syncnet_crop(frame: Frame, x: float, y: float, half: float) -> np.ndarray:
    """(224, 224, 3) uint8 BGR: from ``half`` above the centre to 1.8 below, 1.4 to each side; gray beyond the frame."""
    pad = int(half * (1 + 2 * _MARGIN))
    top, bottom = int(y + pad - half) - pad, int(y + pad + half * (1 + 2 * _MARGIN)) - pad
    reach = half * (1 + _MARGIN)
    left, right = int(x + pad - reach) - pad, int(x + pad + reach) - pad
    inside = Box(left, top, right, bottom).clipped(frame.width, frame.height)
    crop = np.full((max(bottom - top, 1), max(right - left, 1), 3), _GREY, np.uint8)
    if inside.width and inside.height:
        crop[inside.y0 - top : inside.y1 - top, inside.x0 - left : inside.x1 - left] = frame.rgb(inside)[..., ::-1]
    return cv2.resize(crop, (_SIZE, _SIZE))


def steady_crops(faces: Iterable[SeenFace]) -> Iterator[np.ndarray]:
    """The crops of a run of frames, boxes steadied by a median over 13 frames that counts zeros beyond the ends."""
    reach = _MEDIAN // 2
    boxes: deque[tuple[float, float, float]] = deque([(0.0, 0.0, 0.0)] * reach, maxlen=_MEDIAN)
    frames: deque[Frame] = deque()
    stream = iter(faces)

    def crop() -> np.ndarray:
        x, y, half = np.median(np.array(boxes), axis=0)
        return syncnet_crop(frames.popleft(), x, y, half)

    for frame, landmarks in stream:
        frames.append(frame)
        boxes.append(box_centre(landmarks))
        if len(boxes) == _MEDIAN:
            yield crop()
    while frames:
        boxes.extend([(0.0, 0.0, 0.0)] * (_MEDIAN - len(boxes) if len(boxes) < _MEDIAN else 1))
        yield crop()


class SyncNetExpert:
    """SyncNet v2 as a :class:`..protocol.SyncExpert`."""

    spec, window, zero_padded = BACK_END, WINDOW, True

    def __init__(self, network: SyncNet, device: torch.device) -> None:
        self._network, self._device = network, device

    @torch.inference_mode()
    def lip_rows(self, faces: Iterable[SeenFace]) -> Iterator[torch.Tensor]:
        crops = steady_crops(faces)
        held = list(islice(crops, WINDOW - 1))
        while True:
            held += islice(crops, _BLOCK)
            if len(held) < WINDOW:
                return
            clip = torch.from_numpy(np.stack(held)).to(self._device).permute(3, 0, 1, 2).float()
            yield self._network.lip_features(clip[None]).cpu()
            held = held[len(held) - WINDOW + 1 :]

    @torch.inference_mode()
    def sound_rows(self, speech: Speech, first: int, stop: int) -> torch.Tensor:
        low, high = 4 * first * _STEP, (4 * (stop - 1) + MFCC_WINDOW) * _STEP
        # one sample before, for the pre-emphasis, and as much after as the last row looks at
        lead = min(low, 1)
        quantised = np.rint(speech.samples[low - lead : high + 400] * 32768.0).clip(-32768, 32767).astype(np.int16)
        starts = lead + _STEP * np.arange(4 * (stop - 1 - first) + MFCC_WINDOW)
        rows = torch.from_numpy(mfcc_at(quantised, starts)).float()
        windows = rows.unfold(0, MFCC_WINDOW, 4)[:, None].to(self._device)  # (n, 1, 13, 20)
        return self._network.sound_features(windows).cpu()


def load_syncnet(options: Options, resources: Resources) -> SyncNetExpert:
    """Load the official weights, downloading them if need be.

    Raises:
        WeightsError: They cannot be had, or are damaged.
    """
    return SyncNetExpert(load_network(SyncNet, SYNCNET, resources), device_of(resources))
