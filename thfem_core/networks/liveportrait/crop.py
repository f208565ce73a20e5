"""The square that LivePortrait sees of a face, from our own face mesh, steady over time."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import torch

from ...face.crop import FaceCrop, crop_frame
from ...face.tracking.track import FaceTrack
from ...media.frame import Frame

RIGHT_IRIS, LEFT_IRIS, INNER_LIP = 468, 473, 14
SOURCE_SCALE, SOURCE_LIFT = 2.3, -0.125
_STEADY = 0.08  # seconds: standard deviation of the Gaussian over which the crop's motion is averaged
_BLOCK = 32


def face_square(
    points: np.ndarray, eyes: np.ndarray, lips: np.ndarray, *, scale: float = SOURCE_SCALE, lift: float = SOURCE_LIFT
) -> np.ndarray:
    """Where faces are, as LivePortrait measures it.

    Args:
        points: (T, P, 2) all points of T faces, in pixels.
        eyes: (T, 2) points between the eyes.
        lips: (T, 2) middle of the lips.
        scale: Side of the square over the face's larger extent.
        lift: Shift of the square along the face's own vertical, as a share of its side; negative is up.

    Returns:
        (T, 4) float64: centre x, y, side, rotation in radians (clockwise on screen).
    """
    down = lips - eyes
    down = down / np.linalg.norm(down, axis=-1, keepdims=True)
    right = np.stack([down[..., 1], -down[..., 0]], axis=-1)
    middle = points.mean(axis=-2)
    axes = np.stack([right, down], axis=-2)
    along = np.einsum("tpk,tak->tpa", points - middle[:, None], axes)
    low, high = along.min(axis=-2), along.max(axis=-2)
    side = scale * (high - low).max(axis=-1)
    offset = (low + high) / 2
    offset[..., 1] += lift * side
    centre = middle + np.einsum("ta,tak->tk", offset, axes)
    rotation = np.arctan2(right[..., 1], right[..., 0])
    return np.concatenate([centre, side[:, None], rotation[:, None]], axis=-1)


def mesh_square(landmarks: np.ndarray) -> np.ndarray:
    """:func:`face_square` of mesh points (T, 478, 2 or more)."""
    xy = landmarks[..., :2].astype(np.float64)
    eyes = (xy[:, RIGHT_IRIS] + xy[:, LEFT_IRIS]) / 2
    return face_square(xy, eyes, xy[:, INNER_LIP])


class CropPath:
    """The crops of one track, following the face without lag. Memory does not grow with the track's length."""

    def __init__(self, track: FaceTrack, *, frame_rate: Fraction) -> None:
        self._track = track
        sigma = _STEADY * float(frame_rate)
        offsets = np.arange(-ceil(3 * sigma), ceil(3 * sigma) + 1)
        self._kernel = np.exp(-0.5 * (offsets / max(sigma, 1e-6)) ** 2)
        self._blocks: dict[int, list[FaceCrop | None]] = {}

    def at(self, index: int) -> FaceCrop | None:
        """The crop of frame ``index`` of the clip; None where the person is absent."""
        block = index // _BLOCK
        if block not in self._blocks:
            self._blocks = {number: crops for number, crops in self._blocks.items() if abs(number - block) <= 1}
            self._blocks[block] = self._crops(block * _BLOCK)
        return self._blocks[block][index - block * _BLOCK]

    def _crops(self, start: int) -> list[FaceCrop | None]:
        reach = len(self._kernel) // 2
        landmarks = self._track.samples(start - reach, start + _BLOCK + reach).landmarks
        present = ~np.isnan(landmarks[:, 0, 0])
        squares = np.zeros((len(landmarks), 4))
        if present.any():
            squares[present] = mesh_square(landmarks[present])
            squares[present, 2] = np.log(squares[present, 2])
            squares[present, 3] = np.unwrap(squares[present, 3])
        total = sum(k * squares[i : i + _BLOCK] for i, k in enumerate(self._kernel))
        weight = sum(k * present[i : i + _BLOCK] for i, k in enumerate(self._kernel))
        crops: list[FaceCrop | None] = []
        for row in range(_BLOCK):
            if not present[reach + row]:
                crops.append(None)
                continue
            cx, cy, side, rotation = (float(value) for value in total[row] / weight[row])
            crops.append(FaceCrop(cx=cx, cy=cy, side=float(np.exp(side)), rotation=rotation))
        return crops


def crop_picture(frame: Frame, crops: CropPath, side: int) -> np.ndarray | None:
    """The face in a frame as the networks see it: (side, side, 3) uint8 RGB. None where it is absent or outside."""
    crop = crops.at(frame.index)
    if crop is None:
        return None
    box = crop.box(frame)
    if not box.width or not box.height:
        return None
    # twice the size first, then means of 2 × 2 pixels, as LivePortrait's source pictures
    large = torch.from_numpy(crop_frame(frame, crop, 2 * side)).permute(2, 0, 1)[None].float()
    small = torch.nn.functional.avg_pool2d(large, 2)[0].permute(1, 2, 0)
    return small.round().to(torch.uint8).numpy()
