"""Networks that stay loaded, so that a process that edits many clips loads each of them once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from threading import RLock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

KEPT = 2  # per loading function: a CPU and a GPU
_lock = RLock()
_forget: list[Callable[[], None]] = []


def stays_loaded(load: Callable[P, T]) -> Callable[P, T]:
    """Keep what a loading function returned for its last :data:`KEPT` different arguments.

    Two threads that ask for the same network get one. What is kept is shared: callers must not change it.

    Args:
        load: Function of hashable arguments.

    Returns:
        The function; networks it keeps are given back by :func:`release_networks`.
    """
    kept = lru_cache(maxsize=KEPT)(load)
    _forget.append(kept.cache_clear)

    @wraps(load)
    def loaded(*args: P.args, **kwargs: P.kwargs) -> T:
        with _lock:
            return kept(*args, **kwargs)  # type: ignore[arg-type]  # hashable by contract

    return loaded


def release_networks() -> None:
    """Give back the memory of all networks that stay loaded and that nobody uses; they load again when asked for."""
    with _lock:
        for forget in _forget:
            forget()
