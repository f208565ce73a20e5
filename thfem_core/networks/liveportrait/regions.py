"""Which of LivePortrait's keypoints mean what.

A region is a boolean mask (21, 3) over keypoints and axes x, y, z: keypoints in profile move along single axes only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from .motion_extractor import KEYPOINTS

Copied = Literal["face", "expression", "all", "pose", "lips", "eyes"]
COPIED: tuple[Copied, ...] = get_args(Copied)
LIP_ROWS = (6, 12, 14, 17, 19, 20)
EYE_ROWS = (11, 13, 15, 16, 18)
BROW_ROWS = (1, 2)
_AXES = "xyz"
_PARTLY = {3: "y", 4: "y", 5: "z", 8: "z", 9: "yz"}


def mask(rows: Sequence[int] = (), partly: Mapping[int, str] | None = None) -> Tensor:
    """(21, 3) bool: all axes of ``rows``, and the axes named in ``partly``."""
    chosen = torch.zeros(KEYPOINTS, 3, dtype=torch.bool)
    chosen[list(rows)] = True
    for row, axes in (partly or {}).items():
        chosen[row, [_AXES.index(axis) for axis in axes]] = True
    return chosen


LIPS = mask(LIP_ROWS)
EYES = mask(EYE_ROWS)
BROWS = mask(BROW_ROWS)
EVERYTHING = mask(range(KEYPOINTS))
EXPRESSION = mask((*BROW_ROWS, *LIP_ROWS, *EYE_ROWS), _PARTLY)
FACE = EXPRESSION & ~LIPS
NOTHING = mask()


def copied_mask(copied: Copied) -> Tensor:
    """Where the expression of a driver replaces the source's, by the name users choose."""
    return {
        "face": FACE,
        "expression": EXPRESSION,
        "all": EXPRESSION,
        "pose": NOTHING,
        "lips": LIPS,
        "eyes": EYES,
    }[copied]
