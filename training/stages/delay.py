"""Clips whose sound comes early or late, brought in step: how late, the sync expert says.

Collections cut sound and pictures apart by some frames, each in its own way; people who speak in step are too few to
learn the motion from. Where the expert is sure, the sound is moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch

from thfem_core.metrics.judges.thfem_sync.network import ThfemSync

from ..data.clips import COLUMNS_PER_FRAME, SpeakingClip
from .sync import clip_cosines

WINDOW, REACH = 25, 10  # frames
_LEAST_WINDOWS = 3  # that a delay must be seen in


@dataclass(frozen=True, kw_only=True, slots=True)
class Delay:
    """How late a clip's sound comes.

    Attributes:
        frames: late; negative for early.
        agreement: mean cosine of lips and sound at that delay.
        margin: how much that is above the median of all delays.
    """

    frames: int
    agreement: float
    margin: float


@torch.no_grad()
def find_delay(expert: ThfemSync, clip: SpeakingClip) -> Delay | None:
    """The best of the delays up to REACH frames either way; None for silent clips and those too short to tell."""
    if clip.mel is None or clip.frames < WINDOW + 2 * _LEAST_WINDOWS:
        return None
    cosines = clip_cosines(expert, clip, WINDOW)
    delays = [d for d in range(-REACH, REACH + 1) if len(cosines) - abs(d) >= _LEAST_WINDOWS]
    curve = np.array([float(cosines.diagonal(d).mean()) for d in delays])
    best = int(curve.argmax())
    return Delay(frames=delays[best], agreement=float(curve[best]), margin=float(curve[best] - np.median(curve)))


def moved(clip: SpeakingClip, frames: int) -> SpeakingClip:
    """The clip with its sound played ``frames`` earlier; what is missing at an end is held."""
    assert clip.mel is not None
    columns = np.arange(len(clip.mel)) + COLUMNS_PER_FRAME * frames
    return replace(clip, mel=clip.mel[np.clip(columns, 0, len(clip.mel) - 1)])


def bring_in_step(
    expert: ThfemSync, clips: Iterable[SpeakingClip], *, agreement: float, margin: float, tolerance: int = 1
) -> list[SpeakingClip]:
    """The clips that an expert is sure of, their sound moved to where it belongs.

    Args:
        expert: sync expert.
        clips: of any delay.
        agreement: least agreement of a clip at its best delay.
        margin: least margin of that delay (see :class:`Delay`).
        tolerance: frames of delay that are left as they are.
    """
    kept = []
    for clip in clips:
        delay = find_delay(expert, clip)
        if delay is not None and delay.agreement >= agreement and delay.margin >= margin:
            kept.append(clip if abs(delay.frames) <= tolerance else moved(clip, delay.frames))
    return kept
