"""Frames in parallel, results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def ordered_map(function: Callable[[S], T], items: Iterable[S], *, workers: int = 2) -> Iterator[T]:
    """Yield ``function(item)`` in order, computed in ``workers`` threads; at most workers + 1 items are under way.

    Items are drawn in the caller's thread. An error is raised at its place; closing this iterator waits for what
    is running and drops the rest.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}; give at least 1")
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="thfem-map") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
