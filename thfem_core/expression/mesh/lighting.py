"""The light that falls on a face, measured on its skin in a few frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Spherical harmonics up to order 2 as a quadratic form: brightness(n) = (n, 1) · form · (n, 1).
# Columns of the fit: 1 | x y z | xy xz yz, x² - y², 3z² - 1. Ridge per order, relative to the median brightness.
RIDGE = np.array([0.0] + [0.02] * 3 + [0.3] * 5)
TUKEY = 4.0  # limit of Tukey's weights, in robust standard deviations
ROUNDS = 8
FULL_FIT = 0.5  # R² from which on the measured light is used alone
# A light from above in front, where the face tells little: constant part and Lambert part.
DEFAULT_CONSTANT, DEFAULT_DIRECTION = 0.6, np.array([0.0, -0.36, -0.40])
FLOOR, FLOOR_SOFTNESS = 0.25, 0.08  # brightness is softly kept above this share of the median


def softplus(value: np.ndarray, width: float) -> np.ndarray:
    """Rise from 0 to ``value`` around 0.

    Args:
        value: Any shape.
        width: Softness of the bend.

    Returns:
        The same shape: width · ln(1 + exp(value / width)).
    """
    bent = value / np.float32(width)
    return np.asarray(np.float32(width) * (np.maximum(bent, 0) + np.log(1 + np.exp(-np.abs(bent)))))


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Light:
    """Brightness of skin by the direction it faces, relative to the median brightness of the face.

    form: (4, 4) symmetric: brightness = (n, 1) · form · (n, 1) for unit normals n in camera axes.
    """

    form: np.ndarray

    def turned(self, rotation: np.ndarray) -> Light:
        """Give the same light in the axes of a head.

        Args:
            rotation: (3, 3), from the head's axes to the camera's.

        Returns:
            Light for normals on the head.
        """
        turn = np.eye(4)
        turn[:3, :3] = rotation
        return Light(form=turn.T @ self.form @ turn)

    def brightness(self, normals: np.ndarray) -> np.ndarray:
        """Light skin.

        Args:
            normals: (S, 3) unit normals.

        Returns:
            (S,) brightness, softly kept above a quarter of the median.
        """
        form, n = self.form.astype(np.float32), normals.T  # rows of x, y and z: several times faster than columns
        value = ((form[:3, :3] @ n + 2 * form[3, :3, None]) * n).sum(axis=0) + form[3, 3]
        return np.asarray(FLOOR + softplus(value - FLOOR, FLOOR_SOFTNESS))


def default_light() -> Light:
    """Give the light from above in front that is assumed where a face tells little."""
    form = np.zeros((4, 4))
    form[3, :3] = form[:3, 3] = DEFAULT_DIRECTION / 2
    form[3, 3] = DEFAULT_CONSTANT
    return Light(form=form)


def measure_light(normals: np.ndarray, brightness: np.ndarray, weights: np.ndarray) -> Light:
    """Fit a light to skin, robust against brows, beards and shadows.

    Args:
        normals: (S, 3) unit normals in camera axes.
        brightness: (S,) linear brightness, above 0.
        weights: (S,) how well each sample is seen.

    Returns:
        The light, blended with :func:`default_light` where it explains little of the brightness.
    """
    seen = weights > 0
    if seen.sum() < 500:
        return default_light()
    x, y, z = normals[seen].T.astype(np.float64)
    columns = np.stack([np.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1], axis=1)
    target = brightness[seen] / np.median(brightness[seen])
    base = weights[seen]
    robust = np.ones_like(target)
    for _ in range(ROUNDS):
        w = base * robust
        gram = (columns * w[:, None]).T @ columns / w.sum()
        fit = np.linalg.solve(gram + np.diag(RIDGE * 0.1), (columns * w[:, None]).T @ target / w.sum())
        residual = target - columns @ fit
        limit = TUKEY * 1.48 * np.median(np.abs(residual)) + 1e-6
        robust = np.clip(1 - (residual / limit) ** 2, 0, 1) ** 2
    w = base * robust
    mean = (w * target).sum() / w.sum()
    explained = 1 - (w * residual**2).sum() / ((w * (target - mean) ** 2).sum() + 1e-9)
    share = np.sqrt(np.clip(explained / FULL_FIT, 0, 1))
    c, cx, cy, cz, cxy, cxz, cyz, cxx, czz = fit
    form = np.array(
        [
            [cxx, cxy / 2, cxz / 2, cx / 2],
            [cxy / 2, -cxx, cyz / 2, cy / 2],
            [cxz / 2, cyz / 2, 3 * czz, cz / 2],
            [cx / 2, cy / 2, cz / 2, c - czz],
        ]
    )
    return Light(form=share * form + (1 - share) * default_light().form)
