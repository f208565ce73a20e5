"""Node inputs for the options that back ends declare."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfy_api.latest import io

from ..thfem_core.errors import InputError
from ..thfem_core.options import Option
from ..thfem_core.registry import Registry
from .host import advanced
from .video_sockets import clip_from_socket

_LARGEST = 2**31 - 1  # of an integer widget without a bound of its own
_FLOAT_STEP = 0.05


def back_end_input(
    name: str, registry: Registry[Any], *, purpose: str, none: str = "", optional: bool = False
) -> io.Input:
    """The widget that chooses a back end.

    Args:
        name: Name of the input.
        registry: The kind of back end.
        purpose: What the chosen one does, for the tooltip.
        none: What it means to choose ``none``; empty where one must be chosen.
        optional: Whether saved graphs may lack it.
    """
    summaries = [f"{each}: {registry.back_end(each).summary}" for each in registry]
    summaries += [f"none: {none}"] * bool(none)
    return io.Combo.Input(
        name,
        options=[*registry, *["none"] * bool(none)],
        default=registry.names()[0],
        optional=optional,
        tooltip=f"{purpose}. {' '.join(summaries)}",
    )


def option_inputs(registry: Registry[Any], *, only: str | None = None) -> dict[str, io.Input]:
    """Inputs for the options of all back ends of a kind, or of one of them.

    Args:
        registry: The kind of back end.
        only: The one whose options are asked for; None for all.

    Returns:
        One optional input per option name; back ends that have options of one name share it.
    """
    owners: dict[str, dict[str, Option]] = {}
    for name in registry if only is None else (only,):
        for option in registry.options(name):
            owners.setdefault(option.name, {})[name] = option
    return {
        name: option_input(next(iter(options.values())), f"{', '.join(options)}: {next(iter(options.values())).help}")
        for name, options in owners.items()
    }


def clip_inputs(registry: Registry[Any]) -> list[io.Input]:
    """Sockets for the clips that back ends cannot do without; others are sockets of the back ends' own nodes."""
    declared = {
        option.name: (name, option)
        for name in registry
        for option in registry.options(name)
        if option.kind == "clip" and option.required
    }
    return [option_input(option, f"{name}: {option.help}") for name, option in declared.values()]


def option_input(option: Option, tooltip: str) -> io.Input:
    """The input of one option, folded away where few users need it."""
    made = _option_input(option, tooltip)
    return advanced(made)[0] if option.advanced else made


def _option_input(option: Option, tooltip: str) -> io.Input:
    common: dict[str, Any] = {"optional": True, "tooltip": tooltip}
    if option.kind == "clip":
        return io.MultiType.Input(option.name, [io.Video, io.Image], **common)
    if option.kind == "bool":
        return io.Boolean.Input(option.name, default=option.default, **common)
    if option.kind == "choice":
        return io.Combo.Input(option.name, options=list(option.choices), default=option.default, **common)
    if option.kind == "int" and option.default is not None:
        low, high = _bounds(option)
        # the host would draw a new number after each run for an input called seed
        return io.Int.Input(
            option.name, default=option.default, min=int(low), max=int(high), control_after_generate=False, **common
        )
    if option.kind == "float" and option.default is not None:
        low, high = _bounds(option)
        return io.Float.Input(option.name, default=option.default, min=low, max=high, step=_FLOAT_STEP, **common)
    shown = "" if option.default is None else str(option.default)
    return io.String.Input(option.name, default=shown, **common)


def _bounds(option: Option) -> tuple[float, float]:
    low = -_LARGEST if option.minimum is None else option.minimum
    return low, _LARGEST if option.maximum is None else option.maximum


def chosen_options(registry: Registry[Any], name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the options of the chosen back end from the values of a node's inputs.

    Widgets always have values, so those of other back ends are passed over; a connected clip is not.

    Args:
        registry: The kind of back end.
        name: The chosen one.
        values: Values by input name.

    Returns:
        Values by option name; inputs left empty are left out.

    Raises:
        InputError: The back end is unknown, a value cannot be read, or a clip is connected that it does not take.
    """
    own = registry.options(name)
    for other in registry:
        for option in registry.options(other):
            foreign = option.name not in [each.name for each in own]
            if option.kind == "clip" and foreign and values.get(option.name) is not None:
                raise InputError(
                    f"{option.name} is an option of the {registry.kind} {other}; choose that, or disconnect the input"
                )
    return {each.name: _value(each, values[each.name]) for each in own if values.get(each.name) not in (None, "")}


def _value(option: Option, value: Any) -> Any:
    """The value of an option, from that of its input."""
    if option.kind == "clip":
        return clip_from_socket(value)
    if option.kind == "file":
        return Path(value.strip())
    if option.kind in ("int", "float") and isinstance(value, str):
        try:
            return int(value) if option.kind == "int" else float(value)
        except ValueError:
            raise InputError(f"{option.name} is {value!r}; give a number, or leave it empty") from None
    return value
