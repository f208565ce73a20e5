"""Expression presets as files: small JSON objects, some of which come with the package.

A preset says what :class:`.request.ExpressionRequest` does, without clips, every part of it optional::

    {"emotion": "happy", "strength": 0.6, "regions": {"eyes": 1.2}, "curve": "0:0, 1.5:1", "sliders": {"smile": 0.3}}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import InputError

_FOLDER = Path(__file__).with_name("presets")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_numbers(value: object) -> bool:
    return isinstance(value, Mapping) and all(map(_is_number, value.values()))


_PARTS: Mapping[str, Callable[[object], bool]] = {
    "emotion": lambda value: isinstance(value, str),
    "strength": _is_number,
    "regions": _are_numbers,
    "curve": lambda value: isinstance(value, str),
    "sliders": _are_numbers,
}


@cache
def shipped_presets() -> Mapping[str, Path]:
    """The presets that come with the package: name → file."""
    return {file.stem: file for file in sorted(_FOLDER.glob("*.json"))}


def read_preset(name: str | Path) -> dict[str, Any]:
    """Read a preset.

    Args:
        name: One of :func:`shipped_presets`, or a ``.json`` file.

    Returns:
        Its parts by name, of the types that the module's description shows; values are not checked.

    Raises:
        InputError: There is no such preset or file, or it is not one.
    """
    path = shipped_presets().get(str(name), Path(name))
    if path.suffix != ".json":
        raise InputError(
            f"there is no expression preset {str(name)!r}; choose one of: {', '.join(shipped_presets())}, or give a "
            ".json file"
        )
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"the expression preset {path} cannot be read ({error.strerror}); check the path") from None
    except (ValueError, RecursionError):  # the latter for very deep brackets
        raise InputError(f"{path} is no expression preset: it is not JSON; save one again") from None
    parts = loaded if isinstance(loaded, Mapping) else {}
    if unknown := [part for part in parts if part not in _PARTS]:
        raise InputError(f"the expression preset {path} has a part {unknown[0]!r}; parts are: {', '.join(_PARTS)}")
    known = {part: value for part, value in parts.items() if part in _PARTS and _PARTS[part](value)}
    if not known or len(known) < len(parts):
        raise InputError(
            f'{path} is no expression preset; it should look like {{"emotion": "happy", "strength": 0.6}} or '
            '{"sliders": {"smile": 0.6}}'
        )
    return known


def write_preset(parts: Mapping[str, Any], path: Path) -> None:
    """Write a preset.

    Args:
        parts: As :func:`read_preset` gives them.
        path: A ``.json`` file.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        path.write_text(json.dumps(dict(parts), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"the expression preset {path} cannot be written ({error.strerror}); choose another place"
        ) from None
