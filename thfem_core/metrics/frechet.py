"""Fréchet distance between two sets of features, exact also for few frames.

Between Gaussians fitted to both: |μa − μb|² + tr(Σa) + tr(Σb) − 2 tr(√(Σa Σb)). The last trace is the sum of the
singular values of B·Aᵀ, with A and B the centred features over √(n − 1): no matrix root is taken, so nothing is lost
where the covariances are singular, as they are whenever a clip has fewer frames than the features have numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FeatureSpread:
    """Mean and scatter of a set of features, whose size does not grow with the set.

    count: Rows seen.
    mean: Mean of the rows, (D,) float64.
    factor: Triangular root of the scatter matrix, (≤ D, D) float64: Σ (x − mean)(x − mean)ᵀ = factorᵀ · factor.
    """

    count: int
    mean: np.ndarray
    factor: np.ndarray

    @classmethod
    def empty(cls, width: int) -> FeatureSpread:
        return cls(count=0, mean=np.zeros(width), factor=np.zeros((0, width)))

    @classmethod
    def of(cls, features: np.ndarray) -> FeatureSpread:
        """Spread of features (N, D); rows with NaN, which are frames without a face, do not count."""
        return cls.empty(features.shape[1]).updated(features)

    def updated(self, features: np.ndarray) -> FeatureSpread:
        """Spread of the rows so far and further rows (N, D).

        Any split into blocks gives the same result (Chan et al. 1983, here on the root of the scatter).
        """
        rows = np.asarray(features, np.float64)
        rows = rows[np.isfinite(rows).all(axis=1)]
        if not len(rows):
            return self
        mean = rows.mean(axis=0)
        return self.merged(FeatureSpread(count=len(rows), mean=mean, factor=_triangle(rows - mean)))

    def merged(self, other: FeatureSpread) -> FeatureSpread:
        """Spread of both sets together.

        Raises:
            InputError: The features are of different width.
        """
        check_same_width(self, other)
        count = self.count + other.count
        if not self.count or not other.count:
            return self if self.count else other
        between = np.sqrt(self.count * other.count / count) * (other.mean - self.mean)
        factor = _triangle(np.vstack([self.factor, other.factor, between[None]]))
        mean = self.mean + (other.mean - self.mean) * other.count / count
        return FeatureSpread(count=count, mean=mean, factor=factor)


def check_same_width(a: FeatureSpread, b: FeatureSpread) -> None:
    """Check that two sets come from one network.

    Raises:
        InputError: Their features are of different width.
    """
    if a.mean.shape != b.mean.shape:
        raise InputError(
            f"features of {len(a.mean)} and {len(b.mean)} numbers do not compare; use one network for both"
        )


def frechet_distance(a: FeatureSpread, b: FeatureSpread) -> float:
    """Squared Fréchet distance of Gaussians fitted to two sets, as FID and FAD report it.

    Args:
        a: Spread of one set of features.
        b: Spread of the other.

    Returns:
        The distance, ≥ 0, from unbiased covariances.

    Raises:
        InputError: A set has fewer than two rows, or the features are of different width.
    """
    if min(a.count, b.count) < 2:
        raise InputError(f"a Fréchet distance needs 2 frames with a face on both sides, not {a.count} and {b.count}")
    check_same_width(a, b)
    left, right = a.factor / np.sqrt(a.count - 1), b.factor / np.sqrt(b.count - 1)
    shared = np.linalg.svd(right @ left.T, compute_uv=False).sum()
    spread = np.square(left).sum() + np.square(right).sum() - 2.0 * shared
    return max(float(np.square(a.mean - b.mean).sum() + spread), 0.0)


def unit_rows(features: np.ndarray) -> np.ndarray:
    """Scale rows (…, D) to Euclidean length 1; rows of length 0 stay."""
    length = np.linalg.norm(features, axis=-1, keepdims=True)
    return features / np.where(length > 0, length, 1.0)


def _triangle(rows: np.ndarray) -> np.ndarray:
    """R of the QR decomposition of (N, D) rows: R.T @ R = rows.T @ rows, with at most D rows."""
    return np.asarray(np.linalg.qr(rows, mode="r"))
