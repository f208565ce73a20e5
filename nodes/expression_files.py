"""Expression presets in the host: those of the package, and those in the user's folder."""

from __future__ import annotations

from pathlib import Path

import folder_paths

from ..thfem_core.errors import InputError
from ..thfem_core.expression.preset_file import read_preset, shipped_presets
from ..thfem_core.expression.request import ExpressionRequest
from ..thfem_core.expression.saved_request import expression_presets, load_expression, save_expression
from ..thfem_core.expression.sliders import ExpressionSliders, load_sliders, slider_presets

NONE = "none"
_FOLDER = "thfem_expressions"  # in the host's user folder
_BEFORE = "thfem_sliders"  # in the output folder, where versions before 0.2 saved sliders


def user_folder() -> Path:
    """Where the user's expressions are saved."""
    return Path(folder_paths.get_user_directory()) / _FOLDER


def saved_files() -> dict[str, Path]:
    """The user's expressions: name → file."""
    folders = (Path(folder_paths.get_output_directory()) / _BEFORE, user_folder())
    return {file.stem: file for folder in folders for file in sorted(folder.glob("*.json"))}


def expression_names() -> list[str]:
    """Names of all expressions, ``none`` first."""
    return list(dict.fromkeys([NONE, *expression_presets(), *saved_files()]))


def slider_names_of_presets() -> list[str]:
    """Names of all presets that have sliders, ``none`` first."""
    return list(
        dict.fromkeys([NONE, *slider_presets(), *(n for n, file in saved_files().items() if _has_sliders(file))])
    )


def _has_sliders(file: Path) -> bool:
    try:
        return "sliders" in read_preset(file)
    except InputError:  # some other file that lies there
        return False


def preset_file(name: str) -> Path | str:
    """What to load for a name: the user's file, else the package's preset."""
    return saved_files().get(name, name)


def named_expression(name: str) -> ExpressionRequest | None:
    """The expression of a name; None for ``none``. Raises InputError where there is none."""
    return None if name == NONE else load_expression(preset_file(name))


def named_sliders(name: str) -> ExpressionSliders:
    """The sliders of a preset. Raises InputError where there are none."""
    return ExpressionSliders() if name == NONE else load_sliders(preset_file(name))


def changed(name: str) -> float:
    """When a preset was last saved, for the host to notice; 0 for those of the package."""
    file = saved_files().get(name)
    return file.stat().st_mtime if file is not None else 0.0


def save_as(request: ExpressionRequest, name: str) -> None:
    """Save an expression in the user's folder, unless the name is empty.

    Raises:
        InputError: The name is none, or one of the package's; or the file cannot be written.
    """
    plain = name.strip()
    if not plain:
        return
    if Path(plain).name != plain or plain.startswith(".") or plain == NONE:
        raise InputError(f"save_as is {name!r}; give a plain name such as my_smile")
    if plain in shipped_presets():
        raise InputError(f"save_as is {name!r}, the name of a preset of the package; choose another one")
    user_folder().mkdir(parents=True, exist_ok=True)
    save_expression(request, user_folder() / f"{plain}.json")
