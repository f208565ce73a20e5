"""Overlapping the stages of the pipeline: an iterator that runs ahead in its own thread."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from queue import Empty, Full, Queue
from typing import TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.1


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


_END = object()


def prefetch(items: Iterable[T], *, depth: int = 4) -> Iterator[T]:
    """Yield ``items`` in order while a thread computes up to ``depth`` of them ahead.

    Whatever the upstream raises is raised here at its place. Closing (or dropping) this iterator stops the thread,
    closes an upstream generator inside it, and returns only when the thread has ended.
    """
    if depth < 1:
        raise ValueError(f"depth is {depth}; give at least 1")
    queue: Queue[object] = Queue(maxsize=depth)
    stopped = threading.Event()

    def offer(item: object) -> bool:
        while not stopped.is_set():
            try:
                queue.put(item, timeout=_POLL_SECONDS)
                return not stopped.is_set()
            except Full:
                continue
        return False

    def run() -> None:
        last: object = _END
        try:
            for item in items:
                if not offer(item):
                    break
        except BaseException as error:
            last = _Failure(error)
        finally:
            try:
                close = getattr(items, "close", None)
                if close is not None:
                    close()
            except BaseException as error:
                last = _Failure(error)
            offer(last)

    thread = threading.Thread(target=run, name="thfem-prefetch", daemon=True)
    thread.start()
    try:
        while True:
            item = queue.get()
            if item is _END:
                return
            if isinstance(item, _Failure):
                raise item.error
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        while True:  # make room, so that a waiting put returns at once
            try:
                queue.get_nowait()
            except Empty:
                break
        thread.join()
