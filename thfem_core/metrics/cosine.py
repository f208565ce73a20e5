"""Cosines of face features: identity (is it still the same person?) and expression (CSIM of the paper)."""

from __future__ import annotations

import numpy as np

from .frechet import unit_rows


def paired_cosine(source: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Cosine frame by frame: two (T, D) → (T,) in −1..1; NaN where either frame has no face."""
    return (unit_rows(source) * unit_rows(output)).sum(axis=-1)


def mean_direction_cosine(source: np.ndarray, output: np.ndarray) -> float:
    """Cosine of the mean unit features of two sets (T, D) and (S, D), for clips whose frames do not correspond.

    NaN where a set has no frame with a face.
    """
    means = []
    for features in (source, output):
        rows = features[np.isfinite(features).all(axis=1)]
        if not len(rows):
            return float("nan")
        means.append(unit_rows(rows).mean(axis=0))
    return float((unit_rows(means[0]) * unit_rows(means[1])).sum())
