"""A steady square around a face, and sampling it out of a frame."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, cos, floor, sin

import cv2
import numpy as np

from ..errors import InputError
from ..media.frame import Box, Frame
from .mesh.canonical import canonical_mesh
from .pose import head_pose
from .tracking.track import FaceTrack

_MIDDLE = np.array([[0.0, 36.0, 0.0]])  # of the canonical face, between hairline and chin
_BLOCK = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceCrop:
    """A rotated square of the frame: centre and side in pixels, rotation in radians, clockwise on screen."""

    cx: float
    cy: float
    side: float
    rotation: float = 0.0

    def matrix(self, size: int) -> np.ndarray:
        """(2, 3) float64: frame points → points of the crop scaled to ``size`` × ``size`` (pixel centres at 0.5)."""
        k = size / self.side
        c, s = k * cos(self.rotation), k * sin(self.rotation)
        half = size / 2
        return np.array([[c, s, half - c * self.cx - s * self.cy], [-s, c, half + s * self.cx - c * self.cy]])

    def to_crop(self, points: np.ndarray, size: int) -> np.ndarray:
        """Frame points (…, 2) → crop points (…, 2)."""
        m = self.matrix(size)
        return points @ m[:, :2].T + m[:, 2]

    def to_frame(self, points: np.ndarray, size: int) -> np.ndarray:
        """Crop points (…, 2) → frame points (…, 2)."""
        m = cv2.invertAffineTransform(self.matrix(size))
        return points @ m[:, :2].T + m[:, 2]

    def box(self, frame: Frame) -> Box:
        """The part of ``frame`` that the square touches (empty where it lies outside)."""
        reach = self.side / 2 * (abs(cos(self.rotation)) + abs(sin(self.rotation)))
        box = Box(floor(self.cx - reach), floor(self.cy - reach), ceil(self.cx + reach), ceil(self.cy + reach))
        return box.clipped(frame.width, frame.height)


def pixel_matrix(matrix: np.ndarray, *, source: Box | None = None, target: Box | None = None) -> np.ndarray:
    """``matrix`` (2, 3) between pixel-edge coordinates, as cv2 wants it: between array indices (centres at integers)
    of the parts ``source`` and ``target`` of the two pictures."""
    sx, sy = (source.x0, source.y0) if source else (0, 0)
    tx, ty = (target.x0, target.y0) if target else (0, 0)
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ (sx + 0.5, sy + 0.5) - (tx + 0.5, ty + 0.5)
    return moved


def crop_frame(frame: Frame, crop: FaceCrop, size: int) -> np.ndarray:
    """The crop as uint8 RGB (size, size, 3); beyond the frame its border pixels are repeated.

    Raises ValueError where the crop lies wholly outside the frame.
    """
    box = crop.box(frame)
    if box.width == 0 or box.height == 0:
        raise ValueError(f"{crop} lies outside the {frame.width}x{frame.height} frame")
    region = frame.rgb(box)
    matrix = pixel_matrix(crop.matrix(size), source=box)
    if size < crop.side / 1.5:
        # Shrink by area first: the warp alone would alias.
        w, h = (max(1, round(n * size / crop.side)) for n in (box.width, box.height))
        region = cv2.resize(region, (w, h), interpolation=cv2.INTER_AREA)
        kx, ky = box.width / w, box.height / h
        to_region = np.array([[kx, 0, kx / 2 - 0.5], [0, ky, ky / 2 - 0.5], [0, 0, 1]])
        matrix = matrix @ to_region
    return cv2.warpAffine(region, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


@dataclass(frozen=True, kw_only=True, slots=True)
class CropConfig:
    """margin: side over what the face needs, ≥ 1. steady: seconds (standard deviation of the Gaussian) over which the
    crop's motion is averaged. upright: whether the crop turns with the head's roll."""

    margin: float = 1.3
    steady: float = 0.25
    upright: bool = True

    def __post_init__(self) -> None:
        if self.margin < 1:
            raise InputError(f"crop margin is {self.margin:g}; give 1 or more")
        if self.steady < 0:
            raise InputError(f"steady is {self.steady:g} s; give 0 or more")


class CropPath:
    """The crops of one track: one side for the whole track, centre and rotation following the head without lag.

    Making it reads the track once; memory does not grow with its length.
    """

    def __init__(self, track: FaceTrack, *, frame_rate: Fraction, config: CropConfig | None = None) -> None:
        self._track = track
        self._config = config or CropConfig()
        self._canonical = canonical_mesh()
        sigma = self._config.steady * float(frame_rate)
        offsets = np.arange(-ceil(3 * sigma), ceil(3 * sigma) + 1)
        self._kernel = np.exp(-0.5 * (offsets / max(sigma, 1e-6)) ** 2)
        needed = (
            self._needed_side(start, min(start + _BLOCK, track.stop_frame))
            for start in range(track.first_frame, track.stop_frame, _BLOCK)
        )
        self.side = float(np.nanmax(list(needed))) * self._config.margin

    def at(self, start: int, stop: int) -> list[FaceCrop | None]:
        """The crops of frames [start, stop) of the clip; None where the person is absent."""
        return [
            None if np.isnan(cx) else FaceCrop(cx=float(cx), cy=float(cy), side=self.side, rotation=float(rotation))
            for cx, cy, rotation in self._path(start, stop)
        ]

    def _path(self, start: int, stop: int) -> np.ndarray:
        """(T, 3): smoothed centre x, y in pixels and rotation; NaN where absent."""
        reach = len(self._kernel) // 2
        landmarks = self._track.samples(start - reach, stop + reach).landmarks
        present = ~np.isnan(landmarks[:, 0, 0])
        values = np.zeros((len(landmarks), 3))
        if present.any():
            pose = head_pose(landmarks[present], self._canonical)
            values[present, :2] = pose.to_image(_MIDDLE)[:, 0, :2]
            if self._config.upright:
                values[present, 2] = np.radians(pose.angles()[:, 2])
        count = stop - start
        total = sum(k * values[i : i + count] for i, k in enumerate(self._kernel))
        weight = sum(k * present[i : i + count] for i, k in enumerate(self._kernel))
        path = np.full((count, 3), np.nan)
        here = present[reach : reach + count]
        path[here] = total[here] / weight[here, None]
        return path

    def _needed_side(self, start: int, stop: int) -> float:
        path = self._path(start, stop)
        here = ~np.isnan(path[:, 0])
        if not here.any():
            return float("nan")
        xy = self._track.samples(start, stop).landmarks[here, :, :2] - path[here, None, :2]
        c, s = np.cos(path[here, 2])[:, None], np.sin(path[here, 2])[:, None]
        across, down = c * xy[..., 0] + s * xy[..., 1], c * xy[..., 1] - s * xy[..., 0]
        return 2.0 * float(max(np.abs(across).max(), np.abs(down).max()))
