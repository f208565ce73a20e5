"""Progress bars with the time left, one per stage, on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from ..progress import Progress, silent


class _Bars:
    """A :class:`Progress`; a new stage name closes the bar before. Silent where stderr is not a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        bar = self._bar
        if bar is None or bar.desc != f"{stage}: ":
            self.close()
            bar = self._bar = tqdm(desc=stage, total=total, unit=" frames", disable=None, dynamic_ncols=True)
        bar.total = total
        bar.update(done - bar.n)

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
