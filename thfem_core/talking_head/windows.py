"""Which frame is redrawn from which: the adjacent-frame windows of a clip, as plain data.

Paper, Eq. 2–4: a talking head is good at predicting a few frames next to a known one, and worse the farther it goes
(Table 6), so a clip is cut into windows of n frames, each drawn from an edited frame of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, get_args

from ..errors import InputError

# previous: frame i predicts i+1 … i+n, and i+n the next ones (paper; the first frame of all redraws itself).
# first: frame i predicts i … i+n−1, itself among them (the paper's published code).
# opening: the first frame predicts all of them (a still picture, whose every copy is the same).
WindowSource = Literal["previous", "first", "opening"]

MAX_SIZE = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowConfig:
    """size: n, the frames drawn from one source. source: see :data:`WindowSource`.

    overlap: frames that neighbouring windows both draw, cross-faded from one to the other.
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
    """source: frame number. targets: frame numbers, rising. shares: how much this window counts in each target; over
    all windows the shares of a target sum to 1."""

    source: int
    targets: tuple[int, ...]
    shares: tuple[float, ...]


def plan_windows(drawable: Iterable[int], config: WindowConfig) -> Iterator[PlannedWindow]:
    """The windows of one person, in order, from the rising numbers of the frames in which they can be drawn.

    Every drawable frame is a target, and nothing else is a source or a target. Where the person is away for more than
    ``size`` frames, the windows begin anew; in shorter gaps the nearest earlier frame is the source, so that (but for
    "opening") none is farther from its target than 2 · size. ``drawable`` is read only as far as needed.
    """
    distance = {"previous": 1, "first": 0, "opening": 0}[config.source]
    runs = _Runs(limit=config.size)
    for _, frames in groupby(drawable, runs.number):
        yield from _with_shares(_one_run(frames, config, distance), config)


class _Runs:
    """Numbers the stretches of frames between which more than ``limit`` are missing."""

    def __init__(self, limit: int) -> None:
        self._limit, self._number, self._last = limit, 0, None

    def number(self, frame: int) -> int:
        if self._last is not None and frame - self._last > self._limit + 1:
            self._number += 1
        self._last = frame
        return self._number


# A window before its shares are known: source, its first target if none were missing, targets.
_Bare = tuple[int, int, tuple[int, ...]]


def _one_run(frames: Iterator[int], config: WindowConfig, distance: int) -> Iterator[_Bare]:
    """distance: from a source to its first target."""
    opening = next(frames)
    known: deque[int] = deque([opening])  # from the current source on
    covered = opening - 1
    if distance:
        yield opening, opening, (opening,)
        covered = opening
    begin, ended = opening, False
    while not ended or known[-1] > covered:
        start = begin + distance
        while not ended and known[-1] < start + config.size:
            frame = next(frames, None)
            ended = frame is None
            if frame is not None:
                known.append(frame)
        while len(known) > 1 and known[1] <= begin:
            known.popleft()
        targets = tuple(frame for frame in known if start <= frame < start + config.size)
        if targets and targets[-1] > covered:
            covered = targets[-1]
            yield (opening if config.source == "opening" else known[0]), start, targets
        begin += config.size - config.overlap


def _with_shares(windows: Iterator[_Bare], config: WindowConfig) -> Iterator[PlannedWindow]:
    """Trapezoids over the windows, made to sum to 1 in every target."""
    waiting: deque[tuple[_Bare, tuple[float, ...]]] = deque()
    total: dict[int, float] = {}

    def finished() -> PlannedWindow:
        (source, _, targets), rises = waiting.popleft()
        shares = tuple(rise / total[frame] for frame, rise in zip(targets, rises, strict=True))
        for frame in [frame for frame in total if not waiting or frame < waiting[0][0][2][0]]:
            del total[frame]
        return PlannedWindow(source=source, targets=targets, shares=shares)

    for window in windows:
        _, start, targets = window
        while waiting and waiting[0][0][2][-1] < start:
            yield finished()
        last = start + config.size
        rises = tuple(float(min(frame - start + 1, last - frame, config.overlap + 1)) for frame in targets)
        for frame, rise in zip(targets, rises, strict=True):
            total[frame] = total.get(frame, 0.0) + rise
        waiting.append((window, rises))
    while waiting:
        yield finished()
