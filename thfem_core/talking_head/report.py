"""What a talking head did with a clip."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .head import Drive


@dataclass(kw_only=True, slots=True)
class LipReport:
    """What a talking head did; filled in while frames are drawn, complete when all of them are out.

    drive: What moved the lips.
    drawn_frames: Frames in which at least one face was drawn.
    left: Why faces stayed as the edit left them: reason → frames; two faces in one frame count twice.
    """

    drive: Drive
    drawn_frames: int = 0
    left: Counter[str] = field(default_factory=Counter)
