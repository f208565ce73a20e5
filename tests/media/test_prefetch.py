from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from thfem_core.media.prefetch import prefetch


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "thfem-prefetch"]


class Interrupted(BaseException):
    pass


def test_items_come_in_order_and_the_thread_ends() -> None:
    assert list(prefetch((number for number in range(1000)), depth=3)) == list(range(1000))
    assert list(prefetch(item for item in ())) == []
    assert not running()


def test_it_runs_ahead_but_only_so_far() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    ahead = prefetch(items(), depth=4)
    assert next(ahead) == 0
    deadline = time.monotonic() + 5
    while len(made) < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(made) == 6  # one taken, four waiting, one in hand
    ahead.close()
    assert len(made) == 6
    assert not running()


@pytest.mark.parametrize("error", [ValueError, Interrupted])
def test_errors_come_through_at_their_place(error: type[BaseException]) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise error("upstream")

    ahead = prefetch(items())
    assert next(ahead) == 1
    with pytest.raises(error, match="upstream"):
        next(ahead)
    assert not running()


def test_closing_closes_the_upstream_in_its_own_thread() -> None:
    closed_by: list[str] = []

    def items() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed_by.append(threading.current_thread().name)

    ahead = prefetch(items(), depth=1)
    next(ahead)
    ahead.close()
    assert closed_by == ["thfem-prefetch"]
    assert not running()


def test_an_iterator_never_started_costs_no_thread() -> None:
    prefetch(number for number in range(3)).close()
    assert not running()
    with pytest.raises(ValueError, match="depth is 0"):
        next(prefetch((item for item in [1]), depth=0))
