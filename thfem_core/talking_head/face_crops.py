"""One face as a network sees it: steady square crops of fixed size, and drawn ones put back."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from ..face.crop import CropConfig, CropPath, FaceCrop, crop_frame
from ..face.tracking.track import FaceTrack
from ..media.frame import Frame
from .crop_patch import face_patch
from .head import FacePatch

_BLOCK = 32
_STEADY = 0.1  # seconds: a head in quick motion stays near the middle, where networks draw it best


class FaceCrops:
    """The crops of one track, upright and following the head, ``size`` × ``size`` pixels. Memory does not grow with the
    track's length."""

    def __init__(self, track: FaceTrack, *, frame_rate: Fraction, size: int = 256, margin: float = 1.5) -> None:
        self._track, self._size = track, size
        self._path = CropPath(track, frame_rate=frame_rate, config=CropConfig(margin=margin, steady=_STEADY))
        self._blocks: dict[int, list[FaceCrop | None]] = {}

    def at(self, index: int) -> FaceCrop | None:
        """Where frame ``index`` is cropped; None where the person is absent."""
        block = index // _BLOCK
        if block not in self._blocks:
            self._blocks = {number: crops for number, crops in self._blocks.items() if abs(number - block) <= 1}
            self._blocks[block] = self._path.at(block * _BLOCK, (block + 1) * _BLOCK)
        return self._blocks[block][index - block * _BLOCK]

    def picture(self, frame: Frame) -> np.ndarray | None:
        """(size, size, 3) uint8 RGB; None where the person is absent or outside the frame."""
        crop = self.at(frame.index)
        if crop is None:
            return None
        box = crop.box(frame)
        return crop_frame(frame, crop, self._size) if box.width and box.height else None

    def patch(self, frame: Frame, drawn: np.ndarray) -> FacePatch | None:
        """``drawn`` (size, size, 3) uint8 RGB in the place of the face in ``frame``."""
        crop = self.at(frame.index)
        if crop is None:
            return None
        return face_patch(frame, crop, drawn, self._track.samples(frame.index, frame.index + 1).landmarks[0])


def to_tensor(pictures: list[np.ndarray], device: torch.device) -> Tensor:
    """uint8 RGB pictures → (N, 3, size, size) float32 in 0..1 on ``device``."""
    return torch.from_numpy(np.stack(pictures)).to(device).permute(0, 3, 1, 2).float().div_(255.0).contiguous()


def to_pictures(images: Tensor) -> list[np.ndarray]:
    """(N, 3, size, size) in 0..1 → uint8 RGB pictures."""
    scaled = images.float().mul(255.0).round_().clamp_(0, 255).to(torch.uint8)
    return list(scaled.permute(0, 2, 3, 1).cpu().numpy())
