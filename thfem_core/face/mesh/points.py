"""Landmark groups of the 478-point face mesh that the measures look at.

Landmark arrays are float ``(T, 478, 2 or 3)`` in pixels (x right, y down), NaN in frames without the face; only x
and y are used. Lengths are given in % of the outer-eye distance of their own frame.
"""

from __future__ import annotations

import numpy as np

OUTER_EYES = (33, 263)
LIP_CORNERS = (61, 291)
# (upper, lower) pairs of the inner lip contour, the middle pair first.
INNER_LIP_PAIRS = ((13, 14), (82, 87), (312, 317), (81, 178), (311, 402))
OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
INNER_LIPS = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
LIPS = OUTER_LIPS + INNER_LIPS
FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)


def outer_eye_distance(landmarks: np.ndarray) -> np.ndarray:
    """Distance of the two outer eye corners: (T, 478, 2|3) pixels → (T,) pixels."""
    right, left = OUTER_EYES
    return np.linalg.norm(landmarks[:, right, :2] - landmarks[:, left, :2], axis=-1)
