"""Which frame of the source belongs to which frame of the output, read as streams."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction
from typing import TypeVar

from ..media.frame import Frame
from ..media.prefetch import prefetch
from ..media.video import Video

T = TypeVar("T")


class FramePairs:
    """Pairs (source frame, output frame) by time, in the output's order; both clips are decoded ahead in threads.

    Clips of one rate pair frame by frame. At different rates each output frame gets the source frame that is on show
    in its middle.

    count: Pairs so far.
    left_over: The clip that went on when the other ended, or None; known once the pairs are used up.
    """

    def __init__(self, source: Video, output: Video) -> None:
        self.source, self.output = source, output
        self.same_rate = source.info.frame_rate == output.info.frame_rate
        self.count = 0
        self.left_over: Video | None = None

    def __iter__(self) -> Generator[tuple[Frame, Frame]]:
        self.count, self.left_over = 0, None
        with closing(prefetch(self.source.frames())) as sources, closing(prefetch(self.output.frames())) as outputs:
            yield from self._by_number(sources, outputs) if self.same_rate else self._by_time(sources, outputs)

    def _by_number(self, sources: Iterator[Frame], outputs: Iterator[Frame]) -> Iterator[tuple[Frame, Frame]]:
        while True:
            before, after = next(sources, None), next(outputs, None)
            if before is None or after is None:
                longer = self.source if before is not None else self.output
                self.left_over = None if before is after else longer
                return
            self.count += 1
            yield before, after

    def _by_time(self, sources: Iterator[Frame], outputs: Iterator[Frame]) -> Iterator[tuple[Frame, Frame]]:
        half, shown = 1 / (2 * self.output.info.frame_rate), 1 / self.source.info.frame_rate
        before, following = next(sources, None), next(sources, None)
        for after in outputs:
            while following is not None and following.time < after.time + half:
                before, following = following, next(sources, None)
            if before is None or (following is None and after.time >= before.time + shown):
                self.left_over = self.output
                return
            self.count += 1
            yield before, after
        if following is not None and next(sources, None) is not None:
            self.left_over = self.source

    def notes(self) -> list[str]:
        """What a reader of the numbers should know, one line each; complete once the pairs are used up."""
        lines = []
        a, b = self.source.info, self.output.info
        if not self.same_rate:
            lines.append(
                f"{a.name} has {float(a.frame_rate):.4g} and {b.name} {float(b.frame_rate):.4g} frames per second; "
                "frames were paired by time"
            )
        if self.left_over is not None:
            lines.append(
                f"{self.left_over.info.name} is longer; the first {self.count} frames of {b.name} were compared"
            )
        if (a.width, a.height) != (b.width, b.height):
            lines.append(
                f"{a.name} is {a.width}×{a.height} and {b.name} {b.width}×{b.height}; "
                "measures that compare pixels are left out"
            )
        return lines


def at_rate(items: Iterator[tuple[Fraction, T]], rate: int) -> Iterator[T]:
    """Drop and repeat items so that there is one per tick, as ``ffmpeg -r`` does.

    Args:
        items: (time in seconds, item), times rising, the first near 0.
        rate: Ticks per second.

    Returns:
        For tick k the last item whose time, rounded to ticks, is at most k.
    """
    current: T | None = None
    tick = 0
    for time, item in items:
        mine = int(time * rate + Fraction(1, 2))
        while current is not None and tick < mine:
            yield current
            tick += 1
        current, tick = item, max(tick, mine) if current is not None else tick
    if current is not None:
        yield current
