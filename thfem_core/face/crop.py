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
    """A rotated square of the frame.

    cx: Centre, pixels from the left.
    cy: Centre, pixels from the top.
    side: Pixels.
    rotation: Radians, clockwise on screen.
    """

    cx: float
    cy: float
    side: float
    rotation: float = 0.0

    def matrix(self, size: int) -> np.ndarray:
        """Map points of the frame to the crop scaled to ``size`` × ``size``: (2, 3) float64, pixel centres at 0.5."""
        k = size / self.side
        c, s = k * cos(self.rotation), k * sin(self.rotation)
        half = size / 2
        return np.array([[c, s, half - c * self.cx - s * self.cy], [-s, c, half + s * self.cx - c * self.cy]])

    def to_crop(self, points: np.ndarray, size: int) -> np.ndarray:
        """Carry points of the frame (..., 2) into the crop scaled to ``size`` × ``size``."""
        m = self.matrix(size)
        return points @ m[:, :2].T + m[:, 2]

    def to_frame(self, points: np.ndarray, size: int) -> np.ndarray:
        """Carry points of the crop scaled to ``size`` × ``size`` (..., 2) into the frame."""
        m = cv2.invertAffineTransform(self.matrix(size))
        return points @ m[:, :2].T + m[:, 2]

    def box(self, frame: Frame) -> Box:
        """Give the part of ``frame`` that the square touches, empty where it lies outside."""
        reach = self.side / 2 * (abs(cos(self.rotation)) + abs(sin(self.rotation)))
        box = Box(floor(self.cx - reach), floor(self.cy - reach), ceil(self.cx + reach), ceil(self.cy + reach))
        return box.clipped(frame.width, frame.height)


def pixel_matrix(matrix: np.ndarray, *, source: Box | None = None, target: Box | None = None) -> np.ndarray:
    """Adapt an affine map between pictures to OpenCV, which counts pixels from their centres.

    Args:
        matrix: (2, 3) between coordinates in which the centre of the first pixel is at 0.5.
        source: Part of the first picture that the array holds; None for all.
        target: Part of the second picture that the array holds; None for all.

    Returns:
        (2, 3) between indices of the two arrays.
    """
    sx, sy = (source.x0, source.y0) if source else (0, 0)
    tx, ty = (target.x0, target.y0) if target else (0, 0)
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ (sx + 0.5, sy + 0.5) - (tx + 0.5, ty + 0.5)
    return moved


def crop_frame(frame: Frame, crop: FaceCrop, size: int) -> np.ndarray:
    """Sample a crop out of a frame.

    Args:
        frame: Any pixel format.
        crop: Where.
        size: Side of the result, pixels.

    Returns:
        (size, size, 3) uint8 RGB; beyond the frame its border pixels are repeated.

    Raises:
        ValueError: The crop lies wholly outside the frame.
    """
    box = crop.box(frame)
    if box.width == 0 or box.height == 0:
        raise ValueError(f"{crop} lies outside the {frame.width}x{frame.height} frame")
    ratio = crop.side / size
    if ratio > 1.5:
        # Shrink by area first: the warp alone would alias. By whole numbers, for which OpenCV is several times faster.
        step = round(ratio) if ratio >= 2 else ratio
        grid = 4 * ceil(step)
        x0, y0, x1, y1 = box.x0 // grid, box.y0 // grid, -(-box.x1 // grid), -(-box.y1 // grid)
        box = Box(x0 * grid, y0 * grid, x1 * grid, y1 * grid).clipped(frame.width, frame.height)
        w, h = (max(1, round(n / step)) for n in (box.width, box.height))
        region = frame.thumbnail(w, h, box)
        kx, ky = box.width / w, box.height / h
        to_region = np.array([[kx, 0, kx / 2 - 0.5], [0, ky, ky / 2 - 0.5], [0, 0, 1]])
        matrix = pixel_matrix(crop.matrix(size), source=box) @ to_region
    else:
        region, matrix = frame.rgb(box), pixel_matrix(crop.matrix(size), source=box)
    return cv2.warpAffine(region, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


@dataclass(frozen=True, kw_only=True, slots=True)
class CropConfig:
    """How a crop follows a face.

    margin: Side over what the face needs, 1 or more.
    steady: Seconds over which the crop's motion is averaged, standard deviation of a Gaussian.
    upright: Whether the crop turns with the head's roll.
    """

    margin: float = 1.3
    steady: float = 0.25
    upright: bool = True

    def __post_init__(self) -> None:
        if self.margin < 1:
            raise InputError(f"crop margin is {self.margin:g}; give 1 or more")
        if self.steady < 0:
            raise InputError(f"steady is {self.steady:g} s; give 0 or more")


class CropPath:
    """The crops of one track: one side for the whole track, centre and rotation follow the head without lag.

    side: Pixels.
    """

    def __init__(self, track: FaceTrack, *, frame_rate: Fraction, config: CropConfig | None = None) -> None:
        """Read a track once; memory does not grow with its length.

        Args:
            track: One person inside one shot.
            frame_rate: Of the clip.
            config: How the crop follows.
        """
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
        """Give the crops of frames [start, stop) of the clip, None where the person is absent."""
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
        inside = present[reach : reach + count]
        path[inside] = total[inside] / weight[inside, None]
        return path

    def _needed_side(self, start: int, stop: int) -> float:
        """The side of a square at the path's places that holds the face in all frames [start, stop); NaN without it."""
        path = self._path(start, stop)
        present = ~np.isnan(path[:, 0])
        if not present.any():
            return float("nan")
        xy = self._track.samples(start, stop).landmarks[present, :, :2] - path[present, None, :2]
        c, s = np.cos(path[present, 2])[:, None], np.sin(path[present, 2])[:, None]
        across, down = c * xy[..., 0] + s * xy[..., 1], c * xy[..., 1] - s * xy[..., 0]
        return 2.0 * float(max(np.abs(across).max(), np.abs(down).max()))
