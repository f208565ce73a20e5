"""Progress bars with the time left, one per stage, on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from tqdm import tqdm

from ..progress import Progress, silent


class _Bars:
    """A :class:`Progress`; a new stage name closes the bar before. Silent where stderr is not a terminal."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if self._bar is None or stage != self._stage:
            self.close()
            self._stage, self._bar = stage, tqdm(desc=stage, unit=" frames", disable=None, dynamic_ncols=True)
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@contextmanager
def progress_bars(*, quiet: bool) -> Iterator[Progress]:
    """Bars for the length of a ``with`` block."""
    if quiet:
        yield silent
        return
    bars = _Bars()
    try:
        yield bars
    finally:
        bars.close()
