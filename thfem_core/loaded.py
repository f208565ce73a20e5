"""What stays in memory between edits: networks, and the last few results of slow work such as finding faces."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from threading import RLock
from typing import Generic, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

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


class Kept(Generic[T]):
    """The last few results of some work, by what they were made of.

    Results are shared: callers must not change them.
    """

    def __init__(self, most: int) -> None:
        """Keep nothing yet.

        Args:
            most: How many results are kept; the one not used for longest goes first.
        """
        self._most, self._lock = most, RLock()
        self._results: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """Look a result up; None where there is none (any more)."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
            return self._results.get(key)

    def get_or_make(self, key: Hashable | None, make: Callable[[], T]) -> T:
        """Look a result up, or make it and keep it.

        Args:
            key: What it is made of; None makes it anew and keeps nothing.
            make: Makes it; what it raises passes through, and nothing is kept.

        Returns:
            The result.
        """
        found = None if key is None else self.get(key)
        if found is None:
            found = make()  # not under the lock: other threads may work on other things
            if key is not None:
                with self._lock:
                    self._results[key] = found
                    while len(self._results) > self._most:
                        self._results.popitem(last=False)
        return found

    def clear(self) -> None:
        """Drop all results."""
        with self._lock:
            self._results.clear()


class KeptWith(Generic[T]):
    """The last few results about an object, such as a track; they go with the object."""

    def __init__(self, most: int = 8) -> None:
        """Keep nothing yet.

        Args:
            most: How many results are kept of each object.
        """
        self._most = most
        self._results: WeakKeyDictionary[object, Kept[T]] = WeakKeyDictionary()

    def get_or_make(self, owner: object, key: Hashable, make: Callable[[], T]) -> T:
        """Look a result up, or make it and keep it.

        Args:
            owner: The object that the result is about; one that cannot be referred to weakly keeps nothing.
            key: Which result.
            make: Makes it.

        Returns:
            The result.
        """
        try:
            kept = self._results.setdefault(owner, Kept(self._most))
        except TypeError:
            return make()
        return kept.get_or_make(key, make)
