"""Cosines of face features: identity (is it still the same person?) and expression (CSIM of the paper)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .frechet import unit_rows


def paired_cosine(source: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Cosine of features frame by frame.

    Args:
        source: Features (T, D), NaN in frames without a face.
        output: Features (T, D) of the same frames.

    Returns:
        Cosines (T,) in −1..1; NaN where either frame has no face.
    """
    return np.asarray((unit_rows(source) * unit_rows(output)).sum(axis=-1))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DirectionMean:
    """Mean direction of a set of features, for clips whose frames do not correspond.

    total: Sum of the unit vectors, (D,) float64.
    count: How many there are.
    """

    total: np.ndarray
    count: int

    @classmethod
    def empty(cls, width: int) -> DirectionMean:
        return cls(total=np.zeros(width), count=0)

    def updated(self, features: np.ndarray) -> DirectionMean:
        """Mean direction with further rows (N, D); rows with NaN, which are frames without a face, do not count."""
        rows = features[np.isfinite(features).all(axis=1)]
        return DirectionMean(total=self.total + unit_rows(rows).sum(axis=0), count=self.count + len(rows))

    def cosine(self, other: DirectionMean) -> float:
        """Cosine of the two mean directions; NaN where a set is empty."""
        if not self.count or not other.count:
            return float("nan")
        return float((unit_rows(self.total) * unit_rows(other.total)).sum())
