"""The One-Euro filter (Casiez, Roussel & Vogel, CHI 2012) in the form EAMM smooths its keypoints with."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np


@dataclass(frozen=True, kw_only=True, slots=True)
class OneEuroConfig:
    """How strongly a One-Euro filter smooths.

    min_cutoff: Cutoff frequency at rest, in Hz.
    beta: How much the cutoff rises with speed.
    scale: Factor on values before filtering, undone after.
    """

    min_cutoff: float
    beta: float
    scale: float = 1.0


EMOTION = OneEuroConfig(min_cutoff=1.0, beta=0.2, scale=100.0)
KEYPOINT = OneEuroConfig(min_cutoff=0.05, beta=8.0, scale=10.0)

_RATE = 100.0  # the published filters count 100 samples a second whatever the clip's rate
_DERIVATIVE_CUTOFF = 1.0


def _share(cutoff: float | np.ndarray) -> float | np.ndarray:
    return 1.0 / (1.0 + _RATE / (2.0 * pi * cutoff))


class OneEuroFilter:
    """Causal smoothing, element by element. The derivative is taken from the previous *raw* sample."""

    def __init__(self, config: OneEuroConfig) -> None:
        self._config = config
        self._raw: np.ndarray | None = None
        self._smooth: np.ndarray | None = None
        self._speed: np.ndarray | float = 0.0

    def __call__(self, sample: np.ndarray) -> np.ndarray:
        """Filter the next sample.

        Args:
            sample: Any shape, always the same.

        Returns:
            float64, the smoothed sample.
        """
        sample = np.asarray(sample, np.float64) * self._config.scale
        if self._raw is None or self._smooth is None:
            self._raw = self._smooth = sample
        else:
            share = _share(_DERIVATIVE_CUTOFF)
            self._speed = share * (sample - self._raw) * _RATE + (1 - share) * self._speed
            share = _share(self._config.min_cutoff + self._config.beta * np.abs(self._speed))
            self._raw, self._smooth = sample, share * sample + (1 - share) * self._smooth
        return self._smooth / self._config.scale
