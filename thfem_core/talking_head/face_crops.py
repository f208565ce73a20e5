"""One face as a network sees it: square crops that follow the head, and drawn ones put back into the frame."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from ..face.blend import feathered_mask, place_crop
from ..face.crop import CropConfig, CropPath, FaceCrop, crop_frame
from ..face.tracking.track import FaceTrack
from ..media.frame import Frame
from .head import FacePatch

# Why a face stays as it is, for the user.
OUTSIDE = "the face is outside the picture"
NO_SOURCE = "no source frame shows the face"

_BLOCK = 32  # frames whose crops are computed together
_STEADY = 0.1  # seconds over which crops are smoothed: a quick head stays near the middle, where networks draw it best
_GROWTH = 1.12  # of the face's outline about its middle: chins drop and brows rise beyond where they were tracked
_FEATHER = 0.08  # share of the crop's side over which the drawn face fades out


class FaceCrops:
    """The crops of one track, upright and following the head. Memory does not grow with the track's length."""

    def __init__(self, track: FaceTrack, *, frame_rate: Fraction, size: int = 256, margin: float = 1.5) -> None:
        """Plan the crops of a track.

        Args:
            track: The person.
            frame_rate: Frames per second.
            size: Side of the crops as the network sees them, in pixels.
            margin: Side of a crop over that of the square around the face.
        """
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
        """The cropped face, uint8 RGB (size, size, 3); None where the person is absent or outside the frame."""
        crop = self.at(frame.index)
        if crop is None:
            return None
        box = crop.box(frame)
        return crop_frame(frame, crop, self._size) if box.width and box.height else None

    def patch(self, frame: Frame, drawn: np.ndarray) -> FacePatch | str:
        """Put a drawn crop in the place of the face.

        Args:
            frame: The frame in which the face is drawn.
            drawn: uint8 RGB (size, size, 3), the drawn crop of this frame.

        Returns:
            A patch that covers the face and fades out around it; a reason where the face is not in the frame.
        """
        crop = self.at(frame.index)
        if crop is None:
            return OUTSIDE
        size = len(drawn)
        landmarks = self._track.samples(frame.index, frame.index + 1).landmarks[0]
        points = crop.to_crop(landmarks[:, :2].astype(np.float64), size)
        middle = points.mean(axis=0)
        mask = feathered_mask(middle + _GROWTH * (points - middle), size, feather=_FEATHER * size)
        placed = place_crop(frame, crop, drawn, mask)
        if placed is None:
            return OUTSIDE
        box, rgb, alpha = placed
        return FacePatch(box=box, rgb=rgb, alpha=alpha)


def to_tensor(pictures: list[np.ndarray], device: torch.device) -> Tensor:
    """Stack pictures as networks take them.

    Args:
        pictures: N pictures, uint8 RGB (size, size, 3).
        device: Where the tensor shall be.

    Returns:
        float32 (N, 3, size, size) in 0..1.
    """
    return torch.from_numpy(np.stack(pictures)).to(device).permute(0, 3, 1, 2).float().div_(255.0).contiguous()


def to_pictures(images: Tensor) -> list[np.ndarray]:
    """Undo :func:`to_tensor`: (N, 3, size, size) in 0..1 → N pictures, uint8 RGB (size, size, 3)."""
    scaled = images.float().mul(255.0).round_().clamp_(0, 255).to(torch.uint8)
    return list(scaled.permute(0, 2, 3, 1).cpu().numpy())
