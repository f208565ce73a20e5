"""Which frame is drawn from which: the adjacent-frame windows of a clip, as plain data.

A talking head predicts frames well that are near a known one, and worse the farther away they are (paper, Table 6). So
a clip is cut into windows of a few adjacent frames, and each window is drawn from an edited frame next to it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple, get_args

from ..errors import InputError

# previous: frame i predicts i+1 … i+n, and i+n the next ones (paper; the first frame of all redraws itself).
# first: frame i predicts i … i+n−1, itself among them (the paper's published code).
# opening: the first frame predicts all of them (a still picture, whose every copy is the same).
WindowSource = Literal["previous", "first", "opening"]

MAX_SIZE = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowConfig:
    """How a clip is cut into windows.

    size: Frames drawn from one source frame; n of the paper, which takes 5.
    source: Which frame a window is drawn from, see :data:`WindowSource`.
    overlap: Frames that neighbouring windows both draw, cross-faded from one to the other; less than ``size``.
    """

    size: int = 5
    source: WindowSource = "previous"
    overlap: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MAX_SIZE:
            raise InputError(f"the window is {self.size} frames; give 1 to {MAX_SIZE} (the paper's choice is 5)")
        if self.source not in get_args(WindowSource):
            raise InputError(f"window source is {self.source!r}; give one of: {', '.join(get_args(WindowSource))}")
        if not 0 <= self.overlap < self.size:
            raise InputError(
                f"the overlap is {self.overlap} frames; give 0 to {self.size - 1}, less than the window of {self.size}"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedWindow:
    """One window, by frame numbers.

    source: The frame whose picture is used.
    targets: The frames to draw, rising.
    shares: How much this window counts in each target, 0..1; over all windows the shares of a target sum to 1.
    """

    source: int
    targets: tuple[int, ...]
    shares: tuple[float, ...]


class _Window(NamedTuple):
    """A window before its shares are known. start: its first frame, whether the person is seen in it or not."""

    source: int
    start: int
    targets: tuple[int, ...]


def plan_windows(drawable: Iterable[int], config: WindowConfig) -> Iterator[PlannedWindow]:
    """Plan the windows of one person.

    Every drawable frame is a target, and no other frame is a source or a target. Where the person is away for more than
    ``config.size`` frames, the windows begin anew. In shorter gaps the nearest earlier frame is the source, so that
    (except for "opening") no source is farther from its target than 2 · size.

    Args:
        drawable: Numbers of the frames in which the person can be drawn, rising; read only as far as needed.
        config: Size, source and overlap of the windows.

    Yields:
        Windows in the order of their targets.
    """
    for _, stretch in groupby(_numbered_stretches(drawable, config.size), key=lambda pair: pair[0]):
        windows = _windows_of_stretch((frame for _, frame in stretch), config)
        yield from _with_shares(windows, config)


def _numbered_stretches(frames: Iterable[int], longest_gap: int) -> Iterator[tuple[int, int]]:
    """Pair each frame with the number of its stretch; between two of them more than ``longest_gap`` are missing."""
    stretch, last = 0, None
    for frame in frames:
        if last is not None and frame - last > longest_gap + 1:
            stretch += 1
        last = frame
        yield stretch, frame


def _windows_of_stretch(frames: Iterator[int], config: WindowConfig) -> Iterator[_Window]:
    """Lay windows of ``size`` frames over one stretch, each ``size - overlap`` frames after the one before."""
    opening = next(frames)
    seen = deque([opening])  # frames from the source of the current window on
    to_first_target = 1 if config.source == "previous" else 0
    last_drawn = opening - 1
    if to_first_target:
        yield _Window(source=opening, start=opening, targets=(opening,))  # no frame before it could predict it
        last_drawn = opening
    source = opening  # where the source should be; it may be missing
    while True:
        start, stop = source + to_first_target, source + to_first_target + config.size
        while seen[-1] < stop and (frame := next(frames, None)) is not None:
            seen.append(frame)
        while len(seen) > 1 and seen[1] <= source:
            seen.popleft()
        targets = tuple(frame for frame in seen if start <= frame < stop)
        if targets and targets[-1] > last_drawn:
            last_drawn = targets[-1]
            yield _Window(source=opening if config.source == "opening" else seen[0], start=start, targets=targets)
        if seen[-1] < stop and seen[-1] <= last_drawn:
            return  # no frame is left
        source += config.size - config.overlap


def _with_shares(windows: Iterable[_Window], config: WindowConfig) -> Iterator[PlannedWindow]:
    """Give windows their shares: trapezoids that rise and fall over the overlap, divided by their sum in each frame."""
    pending: deque[_Window] = deque()  # windows that a later one may still overlap
    totals: Counter[int] = Counter()  # sum of the trapezoids in each frame

    def heights(window: _Window) -> list[int]:
        stop = window.start + config.size
        return [min(frame - window.start + 1, stop - frame, config.overlap + 1) for frame in window.targets]

    def finished(window: _Window, next_target: float) -> PlannedWindow:
        shares = [height / totals[frame] for frame, height in zip(window.targets, heights(window), strict=True)]
        for frame in window.targets:
            if frame < next_target:
                del totals[frame]
        return PlannedWindow(source=window.source, targets=window.targets, shares=tuple(shares))

    for window in windows:
        while pending and pending[0].targets[-1] < window.start:
            done = pending.popleft()
            yield finished(done, (pending[0] if pending else window).targets[0])
        totals.update(dict(zip(window.targets, heights(window), strict=True)))
        pending.append(window)
    while pending:
        done = pending.popleft()
        yield finished(done, pending[0].targets[0] if pending else float("inf"))
