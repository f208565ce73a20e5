"""Keeping masks steady over time, looking back only, so that a clip gives the same masks however it is cut up."""

from __future__ import annotations

from fractions import Fraction
from math import exp

import numpy as np

from ..smoothstep import smoothstep

# Probabilities: from the higher on a pixel counts as covered at once, below the lower one in steps.
UNSURE, SURE = 0.6, 0.9
STEP = 0.35  # share of the way that an unsure pixel goes in one frame
RELEASE = 0.08  # seconds: time constant of uncovering


class SteadyMask:
    """Follows the mask of one face: what comes is believed by how sure it is, what goes fades."""

    def __init__(self, frame_rate: Fraction) -> None:
        """Start.

        Args:
            frame_rate: Frames per second.
        """
        self._fall = 1 - exp(-1 / (RELEASE * float(frame_rate)))
        self._mask: np.ndarray | None = None

    def restart(self) -> None:
        """Forget: the next frame does not follow the last one."""
        self._mask = None

    def push(self, covered: np.ndarray) -> np.ndarray:
        """Take the next frame.

        Args:
            covered: (S, S) float32 probabilities, in coordinates of the face.

        Returns:
            (S, S) float32, steadied; the first frame comes out as it is.
        """
        if self._mask is None:
            self._mask = covered
            return covered
        change = covered - self._mask
        rise = STEP + (1 - STEP) * smoothstep(covered, UNSURE, SURE)
        self._mask = (self._mask + np.where(change > 0, rise, self._fall) * change).astype(np.float32)
        return self._mask
