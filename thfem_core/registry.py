"""One registry type for all back ends: expression editors, talking heads, face trackers, feature extractors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Generic, TypeVar

from .errors import InputError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names → factories, imported only when asked for.

    A back end is one folder plus one line: ``editors.register("mesh", ".mesh:MeshEditor")``. The target is
    ``"module:attribute"`` relative to ``package``, so listing names never imports a network.
    """

    def __init__(self, kind: str, *, package: str) -> None:
        self._kind = kind
        self._package = package
        self._targets: dict[str, str] = {}

    def register(self, name: str, target: str) -> None:
        """Add a back end. Raises ValueError where the name is taken."""
        if name in self._targets:
            raise ValueError(f"{self._kind} {name!r} is registered already; choose another name")
        self._targets[name] = target

    def names(self) -> tuple[str, ...]:
        """All names, in the order of registration (the first is the default)."""
        return tuple(self._targets)

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def load(self, name: str) -> Callable[..., T]:
        """The factory of a back end. Raises InputError that lists the known names."""
        if name not in self._targets:
            raise InputError(f"unknown {self._kind} {name!r}; choose one of: {', '.join(self._targets)}")
        module, _, attribute = self._targets[name].partition(":")
        factory: Any = getattr(import_module(module, self._package), attribute)
        return factory
