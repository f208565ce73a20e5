"""What happens to driven keypoints before they are drawn: stitching, and eyes and lips that open as far as asked."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...errors import InputError
from .networks import LivePortraitNetworks
from .regions import LIP_ROWS
from .stitching import retargeted, stitched

CLOSED_LIPS = 0.03  # opening of lips below which they count as closed
OPEN_EYES, USUAL_EYES = 0.18, 0.39  # a first frame with eyes less open than this says nothing of how they usually are


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrections:
    """Which corrections are made, in LivePortrait's order.

    stitching: Neck and shoulders meet those of the source.
    close_lips: Lips that are open in the source are closed first (relative motion only).
    steady_eyes: Eyes are opened as far as in the first frame.
    follow_eyes: Eyes open as far as the driver's.
    follow_lips: Lips open as far as the driver's.
    keep_lips: Lip keypoints end exactly where the driven motion puts them, whatever stitching does to them.
    gain: Factor on the whole motion.
    """

    stitching: bool = True
    close_lips: bool = False
    steady_eyes: bool = False
    follow_eyes: bool = False
    follow_lips: bool = False
    keep_lips: bool = False
    gain: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Openings:
    """How far eyes and lips are open, N frames each.

    eyes: (N, 2) of the source. lips: (N, 1) of the source. usual_eyes: eyes of the source's first frame (mean).
    driving_eyes, driving_lips: (N, 1) of the driver.
    """

    eyes: Tensor
    lips: Tensor
    usual_eyes: float = USUAL_EYES
    driving_eyes: Tensor | None = None
    driving_lips: Tensor | None = None


def corrected(
    networks: LivePortraitNetworks,
    source: Tensor,
    points: Tensor,
    corrections: Corrections,
    openings: Openings | None = None,
    *,
    relative: bool = True,
) -> Tensor:
    """Correct driven keypoints.

    Args:
        networks: The networks.
        source: (N, 21, 3) keypoints of the source.
        points: (N, 21, 3) driven keypoints.
        corrections: Which to make.
        openings: Of eyes and lips; needed for all but stitching.
        relative: Whether the motion is relative.

    Returns:
        (N, 21, 3) keypoints to draw.

    Raises:
        InputError: The file of the small networks has no eye or lip network.
    """
    source = source.expand_as(points)
    uncorrected = points
    if corrections.follow_eyes or corrections.follow_lips:
        assert openings is not None
        moves = torch.zeros_like(points)
        if corrections.follow_eyes:
            assert openings.driving_eyes is not None
            moves = moves + _eyes(networks, source, openings.eyes, openings.driving_eyes)
        if corrections.follow_lips:
            assert openings.driving_lips is not None
            moves = moves + _lips(networks, source, openings.lips, openings.driving_lips)
        points = (source if relative else points) + moves
        if corrections.stitching:
            points = stitched(networks.stitching, source, points)
    else:
        if corrections.stitching:
            points = stitched(networks.stitching, source, points)
        if corrections.close_lips and relative:
            assert openings is not None
            closing = _lips(networks, source, openings.lips, torch.zeros_like(openings.lips))
            points = points + closing * (openings.lips >= CLOSED_LIPS)[..., None]
        if corrections.steady_eyes:
            assert openings is not None
            usual = openings.usual_eyes if openings.usual_eyes >= OPEN_EYES else USUAL_EYES
            target = torch.full_like(openings.lips, usual)
            points = points + _eyes(networks, source, openings.eyes, target)
    if corrections.keep_lips:
        points = points.clone()
        points[:, LIP_ROWS] = uncorrected[:, LIP_ROWS]
    return points if corrections.gain == 1.0 else source + (points - source) * corrections.gain


def _lips(networks: LivePortraitNetworks, source: Tensor, now: Tensor, target: Tensor) -> Tensor:
    if networks.lip is None:
        raise InputError("the stitching file has no lip network; use a complete one, or leave lips to the editor")
    return retargeted(networks.lip, source, torch.cat([now, target.expand_as(now)], dim=1))


def _eyes(networks: LivePortraitNetworks, source: Tensor, now: Tensor, target: Tensor) -> Tensor:
    if networks.eye is None:
        raise InputError("the stitching file has no eye network; use a complete one, or leave eyes to the editor")
    return retargeted(networks.eye, source, torch.cat([now, target.expand(len(now), 1)], dim=1))
