"""What ``validate_inputs`` of the nodes says of a back end: bad values and missing files, before anything runs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from ..thfem_core.errors import ThfemError
from ..thfem_core.options import make_options
from ..thfem_core.registry import Registry
from ..thfem_core.weights.store import find_file, missing_file
from .back_end_choice import BackEndChoice
from .back_end_inputs import chosen_options
from .expression_inputs import strength_curve
from .host import DEVICES, model_folders


def validator(registry: Registry[Any], name: str, inputs: Sequence[str]) -> Any:
    """The class method ``validate_inputs`` for the node of one back end.

    The host leaves an input that a validator names unchecked, and repeats a fault for each of them. So this one names
    the inputs for files, which may stand for models, or else the first input alone.

    Args:
        registry: The kind of back end.
        name: Its name.
        inputs: Names of the node's inputs.
    """
    files = [option.name for option in registry.options(name) if option.kind == "file"]

    def validate_inputs(cls: type[Any], /, **values: Any) -> bool | str:
        return check_back_end(registry, name, values)

    parameters = [
        inspect.Parameter(each, inspect.Parameter.POSITIONAL_OR_KEYWORD) for each in ("cls", *(files or inputs[:1]))
    ]
    validate_inputs.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return classmethod(validate_inputs)


def check_back_end(registry: Registry[Any], name: str, values: Mapping[str, Any]) -> bool | str:
    """Check the options of a back end and whether the files that users must bring for it are there.

    Args:
        registry: The kind of back end.
        name: Its name.
        values: Values of some of a node's inputs by name; what is missing counts as the default.

    Returns:
        True, or one line that says what to do.
    """
    device = values.get("device", DEVICES[0])
    if device not in DEVICES:
        return f"device is {device!r}; choose one of: {', '.join(DEVICES)}"
    try:
        options = chosen_options(registry, name, values)
        make_options(registry.back_end(name).options, options, back_end=name)
    except ThfemError as error:
        return str(error)
    return _check_first_model(registry, name, options)


def _check_first_model(registry: Registry[Any], name: str, options: Mapping[str, Any]) -> bool | str:
    """Look for the first model alone: others are needed with some options only, and a file option may stand for it."""
    models = registry.back_end(name).models
    given = any(option.name in options for option in registry.options(name) if option.kind == "file")
    if given or not models or models[0].origin != "manual":
        return True
    folders = model_folders()
    needed = [file for file in models[0].files if file.required]
    missing = next((file for file in needed if find_file(models[0], file, folders=folders) is None), None)
    return True if missing is None else str(missing_file(models[0], missing, folders=folders))


def check_choice(choice: BackEndChoice, value: Any, *, files: bool = True) -> bool | str:
    """Check what was chosen in a node, and whether its files are there unless something connected may replace it.

    Returns:
        True, also for ``none`` and for what is not known yet, or one line that says what to do.
    """
    name = value[choice.name] if isinstance(value, Mapping) else value
    if name in (None, "none"):
        return True
    if name not in choice.registry:
        return f"{choice.name} is {name!r}; choose one of: {', '.join(choice.registry)}"
    return not files or check_back_end(choice.registry, str(name), {})


def first_fault(*told: bool | str) -> bool | str:
    """The first of several checks that found something; True where none did."""
    return next((each for each in told if each is not True), True)


def check_curve(curve: str) -> bool | str:
    """Check the text of a strength curve; True, or one line that says what is wrong with it."""
    try:
        strength_curve(curve)
    except ThfemError as error:
        return str(error)
    return True
