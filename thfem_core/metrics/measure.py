"""What a measure is: a number with a name, a direction that is better, and the range where it is good or bad."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal

SPEECH, EXPRESSION, IDENTITY = "Speech kept", "Expression", "Identity"
PICTURE, SYNC = "Picture", "Lips and sound"
Better = Literal["higher", "lower", "zero"]
ARROWS: dict[Better, str] = {"higher": "↑", "lower": "↓", "zero": "→ 0"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """A number that says one thing about an edit.

    key: Its name in JSON.
    group: Heading it belongs under.
    label: Its name in tables.
    better: Which values are better: higher, lower, or nearer to zero.
    meaning: What it says, in one line.
    unit: Unit behind the number, with a space before it where one belongs.
    good: Where the good range ends; of the magnitude where ``better`` is ``zero``; None where no range is known.
    bad: Where the bad range begins, in the same way.
    digits: Digits after the point, in tables.
    """

    key: str
    group: str
    label: str
    better: Better
    meaning: str
    unit: str = ""
    good: float | None = None
    bad: float | None = None
    digits: int = 2

    def verdict(self, value: float) -> Literal["good", "fair", "bad", ""]:
        """Range in which a value lies; "" where it is missing or no range is known."""
        if self.good is None or self.bad is None or value != value:
            return ""
        sign = -1.0 if self.better == "higher" else 1.0
        value = abs(value) if self.better == "zero" else value
        if sign * value <= sign * self.good:
            return "good"
        return "bad" if sign * value > sign * self.bad else "fair"

    def text(self, value: float) -> str:
        """The value as tables show it: "–" where it is missing."""
        if value != value:
            return "–"
        return f"{value:.{self.digits}f}{self.unit}" if isfinite(value) else "∞"

    def ranges(self) -> str:
        """``good ≥ 0.95, bad < 0.80``, or "" where no range is known."""
        if self.good is None or self.bad is None:
            return ""
        good, bad = ("≥", "<") if self.better == "higher" else ("≤", ">")
        return f"good {good} {self.good:g}{self.unit}, bad {bad} {self.bad:g}{self.unit}"


def unranged(measure: Measure) -> Measure:
    """The measure without its ranges, for a network they do not hold for."""
    return replace(measure, good=None, bad=None)
