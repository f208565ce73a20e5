"""The smooth ramp that fades, masks and weights of faces are made of."""

from __future__ import annotations

import numpy as np


def smoothstep(value: np.ndarray, zero: float, one: float) -> np.ndarray:
    """Rise from 0 to 1 along a cubic with level ends.

    Args:
        value: Array of any shape.
        zero: Value from which on the ramp is 0; may lie above ``one``, then the ramp falls.
        one: Value from which on the ramp is 1.

    Returns:
        Array of the same shape, 0..1.
    """
    t = np.clip((value - zero) / (one - zero), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
