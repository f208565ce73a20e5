"""Command-line flags for the options that back ends declare."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..options import Option
from ..registry import Registry

_METAVARS = {"int": "N", "float": "F", "text": "TEXT", "file": "FILE", "clip": "PATH"}
_PREFIX = "back_end."  # of the parsed names, which keeps them apart from the command's own


def add_back_end_argument(
    parser: argparse.ArgumentParser, flag: str, registry: Registry[Any], *, purpose: str, none: str = ""
) -> None:
    """Add the flag that chooses a back end by name.

    Args:
        parser: Where to add it.
        flag: Such as ``--editor``.
        registry: The kind of back end.
        purpose: What the chosen one does, for the help text.
        none: What it means to choose ``none``; empty where one must be chosen.
    """
    summaries = [f"{name}: {registry.back_end(name).summary}" for name in registry]
    summaries += [f"none: {none}"] * bool(none)
    names = [*registry, *["none"] * bool(none)]
    help = f"{purpose}. {' '.join(summaries)} (default: {registry.names()[0]})"
    parser.add_argument(flag, default=registry.names()[0], metavar="|".join(names), help=help.replace("%", "%%"))


def add_option_arguments(
    parser: argparse.ArgumentParser, *registries: Registry[Any], leave_out: Collection[str] = ()
) -> None:
    """Add a flag for every option of every back end, in one group per back end.

    Options of the same name share a flag, which then acts on each chosen back end that has it.

    Args:
        parser: Where to add them.
        registries: The kinds of back ends that the command lets choose.
        leave_out: Options of which flags of the command itself speak.
    """
    owners = _owners(registries)
    groups: dict[str, argparse._ArgumentGroup] = {}
    for name, by_owner in owners.items():
        if name in leave_out:
            continue
        owner, option = next(iter(by_owner.items()))
        if owner not in groups:
            groups[owner] = parser.add_argument_group(f"options of the {owner}")
        others = [other for other in by_owner if other != owner]
        help = f"{option.help} (default: {option.default})" if option.default is not None else option.help
        help += f" Also of the {' and the '.join(others)}." if others else ""
        dest, help = _PREFIX + name, help.replace("%", "%%")
        if option.kind == "bool":
            groups[owner].add_argument(
                f"--{option.flag}", dest=dest, action=argparse.BooleanOptionalAction, default=None, help=help
            )
        else:
            metavar = "|".join(option.choices) or _METAVARS[option.kind]
            groups[owner].add_argument(f"--{option.flag}", dest=dest, metavar=metavar, help=help)


def given_options(
    args: argparse.Namespace, chosen: Mapping[Registry[Any], str | None]
) -> dict[Registry[Any], dict[str, Any]]:
    """Sort the options that were given to the back ends that were chosen.

    Args:
        args: The parsed command line.
        chosen: For each kind the back end that was chosen; None where none was.

    Returns:
        For each kind the values by option name.

    Raises:
        InputError: A back end is unknown, a value cannot be read, or an option belongs to no chosen back end.
    """
    given = {key.removeprefix(_PREFIX): value for key, value in vars(args).items() if key.startswith(_PREFIX)}
    given = {name: value for name, value in given.items() if value is not None}
    found: dict[Registry[Any], dict[str, Any]] = {registry: {} for registry in chosen}
    for registry, back_end in chosen.items():
        options = registry.options(back_end) if back_end is not None else ()
        found[registry] = {each.name: _parsed(each, given[each.name]) for each in options if each.name in given}
    for name in given:
        if not any(name in values for values in found.values()):
            owners = " or the ".join(_owners(chosen)[name])
            raise InputError(
                f"--{name.replace('_', '-')} is an option of the {owners}; choose that, or leave the option out"
            )
    return found


def _owners(registries: Iterable[Registry[Any]]) -> dict[str, dict[str, Option]]:
    """Option name → the back ends that have it, such as "expression editor mesh" → how they declare it."""
    owners: dict[str, dict[str, Option]] = {}
    for registry in registries:
        for name in registry:
            for option in registry.options(name):
                owners.setdefault(option.name, {})[f"{registry.kind} {name}"] = option
    return owners


def _parsed(option: Option, value: str | bool) -> Any:
    """The value of an option, from the word that was typed."""
    if isinstance(value, bool) or option.kind not in ("int", "float", "file", "clip"):
        return value
    if option.kind in ("file", "clip"):
        return Path(value)
    try:
        return int(value) if option.kind == "int" else float(value)
    except ValueError:
        what = "a whole number" if option.kind == "int" else "a number"
        raise InputError(f"--{option.flag} is {value!r}; give {what}") from None
