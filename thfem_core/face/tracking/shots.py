"""Scene cuts, from thumbnails."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from ...media.frame import Frame

_SIDE = 64
_BINS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class CutConfig:
    """What counts as a scene cut.

    Over 130 talking clips, real cuts changed 0.5 to 1.2 and 10 times the recent most, fast heads 0.56 and twice it.

    difference: Least change of picture structure at a cut: 0 same, 1 unrelated, 2 inverted.
    ratio: How many times the largest recent change of the shot it must be.
    certain: Change from which on it need not.
    colour: Least share of the picture whose colour changes.
    lookahead: Frames that a flash may last.
    """

    difference: float = 0.3
    ratio: float = 2.5
    certain: float = 0.85
    colour: float = 0.02
    lookahead: int = 2

    def __post_init__(self) -> None:
        if self.lookahead < 1:
            raise InputError(f"lookahead is {self.lookahead}; give 1 frame or more")
        if not 0 < self.difference <= self.certain:
            raise InputError(f"cut difference {self.difference:g} must be above 0 and at most certain {self.certain:g}")
        if self.ratio < 1 or not 0 <= self.colour <= 1:
            raise InputError(f"cut ratio {self.ratio:g} must be at least 1, colour {self.colour:g} within 0..1")


@dataclass(frozen=True, slots=True)
class _Look:
    """What one frame looks like: structure free of brightness and contrast, and a colour histogram (sum 1)."""

    structure: np.ndarray
    colours: np.ndarray

    @classmethod
    def of(cls, frame: Frame) -> _Look:
        # Whole-number factors, where the size allows: area scaling is then several times faster.
        factor = max(1, max(frame.width, frame.height) // _SIDE)
        rgb = frame.thumbnail(max(1, round(frame.width / factor)), max(1, round(frame.height / factor)))
        luma = rgb @ np.array([0.299, 0.587, 0.114], np.float32)
        luma -= luma.mean()
        # The floor keeps the noise of an almost even picture (black, a fade) from looking like structure.
        luma /= max(float(np.sqrt((luma * luma).sum())), 4.0 * np.sqrt(luma.size))
        levels = (rgb >> 6).reshape(-1, 3)
        bins = (levels[:, 0] * _BINS + levels[:, 1]) * _BINS + levels[:, 2]
        return cls(luma, np.bincount(bins, minlength=_BINS**3).astype(np.float32) / len(bins))

    def difference(self, other: _Look) -> float:
        """½ |a − b|² of the unit-norm structures: 1 − correlation."""
        return float(0.5 * ((self.structure - other.structure) ** 2).sum())

    def colour_change(self, other: _Look) -> float:
        """Share of the picture that changed its colour bin: 0..1."""
        return float(0.5 * np.abs(self.colours - other.colours).sum())


def split_shots(frames: Iterable[Frame], config: CutConfig | None = None) -> Iterator[tuple[Frame, bool]]:
    """Find scene cuts.

    A cut is a change of the picture's structure that is large in itself, large against the recent changes of the shot
    (fast motion) and lasting (not a flash), and that changes the colours too.

    Args:
        frames: Of a clip.
        config: What counts as a cut.

    Yields:
        Every frame, ``config.lookahead`` frames late, and whether a new shot begins at it (never at the first).
    """
    config = config or CutConfig()
    ahead: deque[tuple[Frame, _Look]] = deque()
    recent: deque[float] = deque(maxlen=8)
    before: _Look | None = None

    def first_ahead() -> tuple[Frame, bool]:
        nonlocal before
        frame, look = ahead.popleft()
        cut = False
        if before is not None:
            change = look.difference(before)
            usual = config.ratio * max(recent, default=0.0)
            needed = min(max(config.difference, usual), config.certain)
            if change > needed and look.colour_change(before) > config.colour:
                if any(later.difference(before) < 0.5 * change for _, later in ahead):
                    return frame, False  # a flash: what follows is still compared with the frame before it
                cut = True
                recent.clear()
            else:
                recent.append(change)
        before = look
        return frame, cut

    for frame in frames:
        ahead.append((frame, _Look.of(frame)))
        if len(ahead) > config.lookahead:
            yield first_ahead()
    while ahead:
        yield first_ahead()
