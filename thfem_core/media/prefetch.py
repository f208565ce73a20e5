"""Overlapping the stages of the pipeline: an iterator that runs ahead in its own thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import closing
from queue import Empty, Full, Queue
from typing import TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.1


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


_END = object()


def prefetch(items: Generator[T, None, None], *, depth: int = 4) -> Generator[T, None, None]:
    """Compute a stream ahead of its consumer, in a thread of its own.

    Args:
        items: the stream; it runs, and is closed, in the thread.
        depth: how many items may wait for the consumer.

    Returns:
        The items in order. Closing (or dropping) the generator returns only when the thread has ended.

    Raises:
        Exception: whatever ``items`` raises, at its place in the order.
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
            with closing(items):
                for item in items:
                    if not offer(item):
                        break
        except BaseException as error:
            last = _Failure(error)
        finally:
            offer(last)

    thread = threading.Thread(target=run, name="thfem-prefetch", daemon=True)
    try:
        thread.start()
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
        _join(thread)


def _join(thread: threading.Thread) -> None:
    """Wait for the end of a thread, also of one whose start was broken off by a signal while it came up."""
    while thread in threading.enumerate():
        try:
            thread.join()
        except RuntimeError:  # not up yet
            time.sleep(0.001)
