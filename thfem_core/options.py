"""Options a back end declares once; command flags, node inputs and tables of the documentation follow from them.

A back end's options are a frozen dataclass whose fields are made by :func:`option`::

    @dataclass(frozen=True, kw_only=True, slots=True)
    class MeshOptions(Options):
        texture: float = option(1.0, help="Gain of wrinkles and shades.", minimum=0.0, maximum=2.0)
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import InputError

OptionKind = Literal["bool", "int", "float", "text", "choice", "file", "clip"]
_KINDS: dict[type, OptionKind] = {bool: "bool", int: "int", float: "float", str: "text", Path: "file"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One option of a back end, as command line, nodes and documentation show it.

    name: Field of the options class, such as ``edited_frames``.
    kind: What a user gives: ``clip`` is a video file or picture folder on the command line and a socket in a graph.
    default: Value where the user says nothing.
    help: One sentence for users.
    minimum: Smallest number allowed, or None.
    maximum: Largest number allowed, or None.
    choices: Allowed words of a ``choice``.
    advanced: Whether few users need it.
    required: Whether the back end cannot work unless the user gives it.
    """

    name: str
    kind: OptionKind
    default: Any
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    advanced: bool = False
    required: bool = False

    @property
    def flag(self) -> str:
        """Its name as users write it, such as ``edited-frames``."""
        return self.name.replace("_", "-")

    def check(self, value: Any) -> None:
        """Check a value against bounds and choices; a file must be there.

        Args:
            value: Value of this option, of its kind's type, or None where nobody gave one.

        Raises:
            InputError: The value is not allowed; the message names it and says what is.
        """
        if value is None:
            if self.required:
                raise InputError(f"{self.flag} is missing; give it: {self.help}")
            return
        if self.kind == "file" and not Path(value).exists():
            raise InputError(f"{self.flag}: there is no {value}; check the path")
        if self.choices and value not in self.choices:
            raise InputError(f"{self.flag} is {value!r}; choose one of: {', '.join(self.choices)}")
        too_small = self.minimum is not None and not value >= self.minimum
        too_large = self.maximum is not None and not value <= self.maximum
        if too_small or too_large:
            low = "any" if self.minimum is None else f"{self.minimum:g}"
            high = "any" if self.maximum is None else f"{self.maximum:g}"
            raise InputError(f"{self.flag} is {value:g}; give a value between {low} and {high}")


def option(
    default: Any,
    *,
    help: str,
    minimum: float | None = None,
    maximum: float | None = None,
    advanced: bool = False,
    clip: bool = False,
    required: bool = False,
) -> Any:
    """Declare a field of an options class.

    Args:
        default: Value where the user says nothing.
        help: One sentence for users, with unit and meaning.
        minimum: Smallest number allowed.
        maximum: Largest number allowed.
        advanced: Whether few users need it; front ends may hide it.
        clip: The value is a clip: a file or folder on the command line, a socket in a graph.
        required: The back end cannot work without it; its default is then None.

    Returns:
        A dataclass field.
    """
    facts = {"help": help, "minimum": minimum, "maximum": maximum, "advanced": advanced, "clip": clip}
    facts["required"] = required
    return field(default=default, metadata={"option": facts})


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Base of all options classes; alone, the options of a back end that has none. Checks values when made."""

    def __post_init__(self) -> None:
        for each in options_of(type(self)):
            each.check(getattr(self, each.name))


AnyOptions = TypeVar("AnyOptions", bound=Options)


def options_of(options_class: type[Options]) -> tuple[Option, ...]:
    """List what an options class declares, in its order.

    Args:
        options_class: A frozen dataclass of :func:`option` fields.

    Returns:
        One :class:`Option` per field.

    Raises:
        TypeError: A field was not made by :func:`option`, or has a type that no front end can ask for.
    """
    hints = get_type_hints(options_class)
    declared = []
    for each in fields(options_class):
        facts = dict(each.metadata.get("option", {}))
        if not facts or each.default is MISSING:
            raise TypeError(f"{options_class.__name__}.{each.name} must be declared by thfem_core.options.option")
        hint = _without_none(hints[each.name])
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        kind = "clip" if facts.pop("clip") else "choice" if choices else _KINDS.get(hint)
        if kind is None:
            raise TypeError(f"{options_class.__name__}.{each.name} has the type {hint}, which no front end can ask for")
        declared.append(Option(name=each.name, kind=kind, default=each.default, choices=choices, **facts))
    return tuple(declared)


def make_options(options_class: type[AnyOptions], given: Mapping[str, Any], *, back_end: str) -> AnyOptions:
    """Make a back end's options from what a user gave.

    Args:
        options_class: The back end's options class.
        given: Values by option name; the rest keeps its defaults.
        back_end: Name for messages, such as ``editor mesh``.

    Returns:
        The options, checked.

    Raises:
        InputError: The back end has no such option, or a value is not allowed.
    """
    known = [each.name for each in options_of(options_class)]
    for name in given:
        if name not in known:
            has = f"it has: {', '.join(known)}" if known else "it has no options"
            raise InputError(f"the {back_end} has no option {name.replace('_', '-')}; {has}")
    return options_class(**given)


def _without_none(hint: Any) -> Any:
    """``int | None`` → ``int``; other types as they are."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = [part for part in get_args(hint) if part is not type(None)][:1]
    return hint
