"""Smoothing a motion over time without lag: a random-walk Kalman smoother, as a stream.

Every number is filtered alike. A frame's smoothed value depends on the frames after it, but that influence fades by the
same factor with each frame, so it is complete after a few frames of look-ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from math import ceil, log, sqrt

import numpy as np

PROCESS_VARIANCE = 1e-5
_NEGLIGIBLE = 1e-8  # of a step between two frames


class KalmanSmoother:
    """Smooths a sequence of arrays.

    Model: the true value walks with variance ``process`` per frame and is seen with variance ``observation``; the first
    value is drawn around the first observation with variance 1 (or ``prior``). Rauch, Tung & Striebel, 1965.
    """

    def __init__(self, observation: float, *, process: float = PROCESS_VARIANCE, prior: float = 1.0) -> None:
        """Start a sequence.

        Args:
            observation: Variance of the measurements; larger is smoother, 0 changes nothing.
            process: Variance of the true change per frame.
            prior: Variance of the first true value.
        """
        self._observation, self._process, self._prior = observation, process, prior
        settled = (process + sqrt(process * process + 4 * process * observation)) / 2  # of the prediction
        variance = settled * observation / (settled + observation) if observation else 0.0
        gain = variance / (variance + process)
        self.lookahead = ceil(log(_NEGLIGIBLE) / log(gain)) if gain > _NEGLIGIBLE else 0
        self._mean: np.ndarray | None = None
        self._variance = 0.0
        self._filtered: deque[tuple[np.ndarray, float]] = deque()

    def push(self, value: np.ndarray) -> np.ndarray | None:
        """Take the next measurement.

        Args:
            value: Of any shape, the same for all.

        Returns:
            The smoothed value of the frame ``lookahead`` frames ago as float64; None where there is no such frame.
        """
        measured = np.asarray(value, np.float64)
        predicted = self._prior if self._mean is None else self._variance + self._process
        gain = predicted / (predicted + self._observation)
        before = measured if self._mean is None else self._mean
        self._mean, self._variance = before + gain * (measured - before), (1 - gain) * predicted
        self._filtered.append((self._mean, self._variance))
        if len(self._filtered) <= self.lookahead:
            return None
        smoothed = self._backwards()[0]
        self._filtered.popleft()
        return smoothed

    def finish(self) -> list[np.ndarray]:
        """The smoothed values of the frames not given yet; the sequence is over."""
        rest = self._backwards()
        self._filtered.clear()
        self._mean = None
        return rest

    def _backwards(self) -> list[np.ndarray]:
        smoothed: list[np.ndarray] = []
        for mean, variance in reversed(self._filtered):
            gain = variance / (variance + self._process)
            smoothed.append(mean + gain * (smoothed[-1] - mean) if smoothed else mean)
        return smoothed[::-1]


def smooth_sequence(
    values: np.ndarray, observation: float, *, process: float = PROCESS_VARIANCE, prior: float = 1.0
) -> np.ndarray:
    """:class:`KalmanSmoother` of a whole sequence (T, …); float64."""
    smoother = KalmanSmoother(observation, process=process, prior=prior)
    return np.stack([*_given(smoother, values), *smoother.finish()]) if len(values) else np.asarray(values, np.float64)


def _given(smoother: KalmanSmoother, values: np.ndarray) -> Iterator[np.ndarray]:
    for value in values:
        if (smoothed := smoother.push(value)) is not None:
            yield smoothed
