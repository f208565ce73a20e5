"""Regions of the face that users know, in LivePortrait's keypoints."""

from __future__ import annotations

import torch
from torch import Tensor

from ...networks.liveportrait.regions import BROWS, EVERYTHING, EYES, LIPS
from ..request import RegionStrengths


def region_gains(strengths: RegionStrengths) -> Tensor:
    """Factors on changes of the expression.

    Args:
        strengths: Per region.

    Returns:
        (21, 3): brows, eyes with their lids, mouth, and all else, which is cheeks and jaw.
    """
    gains = torch.full(EVERYTHING.shape, strengths.cheeks)
    for region, strength in ((BROWS, strengths.brows), (EYES, strengths.eyes), (LIPS, strengths.mouth)):
        gains[region] = strength
    return gains
