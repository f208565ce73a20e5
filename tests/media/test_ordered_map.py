"""Parallel mapping keeps order, bounds what is under way, and ends cleanly."""

from __future__ import annotations

import threading
import time

import pytest

from thfem_core.media.ordered_map import ordered_map


def test_order_is_kept_whatever_each_item_takes() -> None:
    def slow_first(x: int) -> int:
        time.sleep(0.02 if x % 3 == 0 else 0)
        return x * x

    assert list(ordered_map(slow_first, range(20), workers=3)) == [x * x for x in range(20)]


def test_no_more_than_asked_runs_ahead() -> None:
    drawn = []

    def items():
        for x in range(50):
            drawn.append(x)
            yield x

    for done, _ in enumerate(ordered_map(lambda x: x, items(), workers=2), start=1):
        assert len(drawn) <= done + 2


def test_an_error_comes_at_its_place_and_nothing_is_left_running() -> None:
    def fail(x: int) -> int:
        if x == 5:
            raise ValueError("five")
        return x

    seen = []
    with pytest.raises(ValueError, match="five"):
        for x in ordered_map(fail, range(10)):
            seen.append(x)
    assert seen == [0, 1, 2, 3, 4]
    assert not [t for t in threading.enumerate() if t.name.startswith("thfem-map")]


def test_closing_early_stops_the_threads() -> None:
    results = ordered_map(lambda x: x, iter(range(1000)))
    assert next(results) == 0
    results.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("thfem-map")]


def test_workers_are_checked() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        list(ordered_map(abs, [1], workers=0))
