"""Settings of the embedded talking head."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class MouthConfig:
    """amount: how far the sound moves the mouth (drive "audio"), 1 = as predicted. network: paint with it; False only
    warps. keep, redraw: where the original's lips are known, the mean lip distance (% of the outer-eye distance) that
    lasts for some frames, up to which an edited mouth is left as it is, and from which it is drawn anew; in between the
    two are mixed. calm: frames on either side over which that distance and the expression's offset are averaged.
    """

    amount: float = 1.0
    network: bool = True
    keep: float = 1.5
    redraw: float = 2.0
    calm: int = 10

    def __post_init__(self) -> None:
        if not 0 <= self.amount <= 2:
            raise InputError(f"amount is {self.amount:g}; give 0 (still lips) to 2")
        if not 0 <= self.keep < self.redraw:
            raise InputError(f"keep {self.keep:g} must lie below redraw {self.redraw:g}, both in % of the eye distance")
        if not 1 <= self.calm <= 50:
            raise InputError(f"calm is {self.calm} frames; give 1 to 50")
