"""One registry for all kinds of back ends: expression editors, talking heads, face trackers, pose encoders, judges.

A back end is one folder plus one line. The folder's ``back_end.py`` declares ``BACK_END = BackEnd(...)`` and imports
no network; the line is ``editors.register("mesh", ".mesh")`` where its kind is defined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .errors import InputError
from .options import Option, Options, make_options, options_of
from .progress import Progress, silent

if TYPE_CHECKING:
    import torch

    from .weights.model import Model

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class BackEnd:
    """What a back end's folder says of itself, without importing its networks.

    summary: One line for help texts and tables.
    factory: ``module:attribute`` relative to the folder; called as ``factory(options, resources)``.
    options: Its options class.
    models: The model files it uses.
    converters: Model name → ``module:function`` relative to the folder, for ``models convert``.
    permissive: Option → values with which no file for research only is read; empty where no setting avoids them, or
        there are none.
    brings_expression: Of an editor, whether its options say what to show, so that an edit need not name an emotion.
    """

    summary: str
    factory: str
    options: type[Options] = Options
    models: tuple[Model, ...] = ()
    converters: Mapping[str, str] = field(default_factory=dict)
    permissive: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    brings_expression: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """What a back end may use while it loads.

    device: Where its networks will run; None is not decided yet.
    folders: Folders searched for model files before the usual ones.
    progress: Hears of downloads and conversions.
    """

    device: torch.device | None = None
    folders: tuple[Path, ...] = ()
    progress: Progress = silent


class Registry(Generic[T]):
    """Names of one kind of back end, each imported only when asked for."""

    def __init__(self, kind: str, *, package: str) -> None:
        """Start an empty registry.

        Args:
            kind: What messages call its members, such as ``talking head``.
            package: Package that relative folders are relative to.
        """
        self.kind = kind
        self._package = package
        self._folders: dict[str, str] = {}

    def register(self, name: str, folder: str) -> None:
        """Add a back end.

        Args:
            name: What users call it.
            folder: Its package, absolute or relative to the registry's.

        Raises:
            ValueError: The name is taken.
        """
        if name in self._folders:
            raise ValueError(f"{self.kind} {name!r} is registered already; choose another name")
        self._folders[name] = folder

    def names(self) -> tuple[str, ...]:
        """All names in the order of registration; the first is the default."""
        return tuple(self._folders)

    def __iter__(self) -> Iterator[str]:
        return iter(self._folders)

    def back_end(self, name: str) -> BackEnd:
        """What a back end declares of itself; its networks are not imported.

        Raises:
            InputError: There is no such back end; the message lists those there are.
        """
        if name not in self._folders:
            raise InputError(f"unknown {self.kind} {name!r}; choose one of: {', '.join(self._folders)}")
        declared: BackEnd = import_module(f"{self._folders[name]}.back_end", self._package).BACK_END
        return declared

    def options(self, name: str) -> tuple[Option, ...]:
        """The options a back end declares, in its order.

        Raises:
            InputError: There is no such back end.
        """
        return options_of(self.back_end(name).options)

    def create(
        self, name: str, options: Options | Mapping[str, Any] | None = None, resources: Resources | None = None
    ) -> T:
        """Load a back end.

        Args:
            name: One of :meth:`names`.
            options: Its options, or values by option name; None for the defaults.
            resources: Device, folders and progress; None for the defaults.

        Returns:
            The back end, ready to use.

        Raises:
            InputError: Unknown name or option, or a value that is not allowed.
            WeightsError: A model file is missing or unusable.
        """
        back_end = self.back_end(name)
        if not isinstance(options, Options):
            options = make_options(back_end.options, options or {}, back_end=f"{self.kind} {name}")
        if not isinstance(options, back_end.options):
            raise TypeError(f"{self.kind} {name!r} takes {back_end.options.__name__}, not {type(options).__name__}")
        created: T = self.attribute(name, back_end.factory)(options, resources or Resources())
        return created

    def attribute(self, name: str, target: str) -> Any:
        """Import ``module:attribute`` from a back end's folder, such as its factory or a converter."""
        module, _, attribute = target.partition(":")
        return getattr(import_module(f"{self._folders[name]}.{module}", self._package), attribute)
