"""Which points of the 478-point face mesh are what. "Left" and "right" are the image's, on a frontal face.

Landmark arrays are float ``(T, 478, 2 or 3)`` in pixels (x right, y down), NaN in frames without the face.
"""

from __future__ import annotations

# Inner lip line, upper and lower, corner to corner from left to right; position i of one faces i of the other.
INNER_LIP_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LIP_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
# The five facing pairs in the middle, the middlemost first: their mean gap is the lip aperture.
INNER_LIP_PAIRS = ((13, 14), (82, 87), (312, 317), (81, 178), (311, 402))
MOUTH_CORNERS = (61, 291)
# Closed contours from the left corner, lower lip first.
OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
INNER_LIPS = INNER_LIP_LOWER + INNER_LIP_UPPER[-2:0:-1]
LIPS = OUTER_LIPS + INNER_LIPS

# Lid lines from the left to the right corner of each eye; both lines share the corners.
EYE_UPPER = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
EYE_LOWER = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
OUTER_EYE_CORNERS = (33, 263)

# Upper and lower edge of each brow, paired.
BROW_UPPER = ((70, 63, 105, 66, 107), (300, 293, 334, 296, 336))
BROW_LOWER = ((46, 53, 52, 65, 55), (276, 283, 282, 295, 285))

# The face's outline, clockwise from the middle of the forehead.
FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)


def ring(upper: tuple[int, ...], lower: tuple[int, ...]) -> tuple[int, ...]:
    """Join the two edges of an opening, which share their ends, to a closed line.

    Args:
        upper: Points of the upper edge from left to right.
        lower: Points of the lower edge from left to right.

    Returns:
        Points along the upper edge, then back along the lower one.
    """
    return upper + tuple(reversed(lower[1:-1]))
