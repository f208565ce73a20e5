"""Mouth, eyes and brows under cover: which of them an edit leaves alone."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import cv2
import numpy as np

from ..mesh import topology
from ..smoothstep import smoothstep
from .crop import SIDE


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part of the face.

    points: Landmarks whose hull it is.
    growth: Factor on the hull.
    fade: Face units beyond the hull over which leaving alone fades; None leaves the whole face alone.
    mostly: Share that is mostly.
    """

    points: tuple[int, ...]
    growth: float
    fade: float | None
    mostly: float = 0.5


PARTS: dict[str, Part] = {
    "mouth": Part(points=topology.OUTER_LIPS, growth=1.2, fade=25.0),
    "left eye": Part(points=topology.EYE_UPPER[0] + topology.EYE_LOWER[0], growth=1.4, fade=12.0),
    "right eye": Part(points=topology.EYE_UPPER[1] + topology.EYE_LOWER[1], growth=1.4, fade=12.0),
    "left brow": Part(points=topology.BROW_UPPER[0] + topology.BROW_LOWER[0], growth=1.1, fade=14.0),
    "right brow": Part(points=topology.BROW_UPPER[1] + topology.BROW_LOWER[1], growth=1.1, fade=14.0),
    "face": Part(points=topology.FACE_OVAL, growth=1.0, fade=None, mostly=0.65),
}
SLACK = 0.15  # share by which a part must come free again below ``mostly``
CHANGE = 0.3  # seconds over which a part is let go or taken up
HOLD = 0.5  # seconds that a part must have come free before it is taken up, so that no smile comes and goes


def part_shape(part: Part, points: np.ndarray, size: int) -> np.ndarray:
    """Draw a part.

    Args:
        part: The part.
        points: (478, 2) landmarks in pixels of the square.
        size: Side of the square.

    Returns:
        (size, size) uint8, 1 inside.
    """
    hull = cv2.convexHull(points[list(part.points)].astype(np.float32))[:, 0]
    hull = hull.mean(axis=0) + part.growth * (hull - hull.mean(axis=0))
    shape = np.zeros((size, size), np.uint8)
    # OpenCV counts from the middle of the first pixel, in sixteenths of a pixel (shift = 4 bits)
    cv2.fillConvexPoly(shape, np.rint(16 * (hull - 0.5)).astype(np.int32), 1, shift=4)
    return shape


def covered_share(part: Part, covered: np.ndarray, points: np.ndarray) -> float:
    """Measure how much of a part is covered.

    Args:
        part: The part.
        covered: (S, S) float32 in 0..1 over the square.
        points: (478, 2) landmarks in pixels of the square.

    Returns:
        Share in 0..1; 0 for a part outside the square.
    """
    inside = part_shape(part, points, len(covered)) > 0
    return float((covered[inside] > 0.5).mean()) if inside.any() else 0.0


class CoveredParts:
    """Follows how far the parts of one face are covered; looks back only."""

    def __init__(self, frame_rate: Fraction) -> None:
        """Start.

        Args:
            frame_rate: Frames per second.
        """
        self._step = 1 / max(1.0, CHANGE * float(frame_rate))
        self._hold = round(HOLD * float(frame_rate))
        self._free: dict[str, int] = {}  # part that is left alone → frames since it came free
        self._left: dict[str, bool] = {}
        self._amount: dict[str, float] = {}

    def restart(self) -> None:
        """Forget: the next frame does not follow the last one."""
        self._left, self._amount, self._free = {}, {}, {}

    def push(self, covered: np.ndarray, points: np.ndarray) -> dict[str, float]:
        """Take the next frame.

        Args:
            covered: (S, S) float32 in 0..1 over the square.
            points: (478, 2) landmarks in pixels of the square.

        Returns:
            Part → how far it is left alone, 0..1; parts that are edited as ever are left out.
        """
        if not self._amount and not (covered > 0.5).any():
            self._left = dict.fromkeys(PARTS, False)
            return {}
        first = not self._left
        for name, part in PARTS.items():
            bound = part.mostly - (SLACK if self._left.get(name) else 0.0)
            covers = covered_share(part, covered, points) > bound
            self._free[name] = 0 if covers else self._free.get(name, 0) + 1
            self._left[name] = covers or (self._left.get(name, False) and self._free[name] <= self._hold)
            goal, amount = float(self._left[name]), self._amount.get(name, 0.0)
            amount = goal if first else amount + float(np.clip(goal - amount, -self._step, self._step))
            self._amount[name] = amount
        self._amount = {name: amount for name, amount in self._amount.items() if amount > 0}
        return dict(self._amount)


def left_alone(amounts: dict[str, float], points: np.ndarray, size: int) -> np.ndarray:
    """Draw how far an edit leaves every place alone because a part is covered.

    Args:
        amounts: As of :meth:`CoveredParts.push`.
        points: (478, 2) landmarks in pixels of the square.
        size: Side of the square.

    Returns:
        (size, size) float32 in 0..1.
    """
    field = np.zeros((size, size), np.float32)
    for name, amount in amounts.items():
        part = PARTS[name]
        if part.fade is None:
            np.maximum(field, amount * _rounded_square(size), out=field)
            continue
        away = cv2.distanceTransform(1 - part_shape(part, points, size), cv2.DIST_L2, 3)
        near = smoothstep(away, part.fade * size / SIDE, 0.0)
        np.maximum(field, (amount * near).astype(np.float32), out=field)
    return field


@lru_cache(maxsize=4)
def _rounded_square(size: int) -> np.ndarray:
    """1 in the square, falling to 0 at its border over a tenth of its side."""
    line = np.arange(size) + 0.5
    edge = (np.minimum(line, size - line) - 0.5) / (0.1 * size)
    inside: np.ndarray = smoothstep(np.minimum(edge[:, None], edge[None]), 0.0, 1.0).astype(np.float32)
    return inside
