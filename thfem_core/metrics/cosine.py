"""Cosines of face features: identity (is it still the same person?) and expression (CSIM of the paper)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .frechet import unit_rows


def paired_cosine(source: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Cosine frame by frame: two (T, D) → (T,) in −1..1; NaN where either frame has no face."""
    return (unit_rows(source) * unit_rows(output)).sum(axis=-1)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DirectionMean:
    """The mean direction of a set of features: for clips whose frames do not correspond. total: (D,) float64, the sum
    of ``count`` unit vectors."""

    total: np.ndarray
    count: int

    @classmethod
    def empty(cls, width: int) -> DirectionMean:
        return cls(total=np.zeros(width), count=0)

    def updated(self, features: np.ndarray) -> DirectionMean:
        """With further rows (N, D); rows with NaN (frames without a face) do not count."""
        rows = features[np.isfinite(features).all(axis=1)]
        return DirectionMean(total=self.total + unit_rows(rows).sum(axis=0), count=self.count + len(rows))

    def cosine(self, other: DirectionMean) -> float:
        """Cosine of the two mean directions; NaN where a set is empty."""
        if not self.count or not other.count:
            return float("nan")
        return float((unit_rows(self.total) * unit_rows(other.total)).sum())
