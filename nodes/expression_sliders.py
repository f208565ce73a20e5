"""Expression Sliders: parts of an expression in numbers, for the editing nodes; saved and loaded as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import folder_paths
from comfy_api.latest import io

from ..thfem_core.errors import InputError
from ..thfem_core.expression.sliders import (
    ExpressionSliders,
    load_sliders,
    preset_names,
    save_sliders,
    slider_names,
)
from ..thfem_core.options import make_options, options_of
from .back_end_inputs import option_input
from .host import CATEGORY, schema
from .payloads import SlidersSocket

_NONE = "none"
_FOLDER = "thfem_sliders"  # in the host's output folder


def saved_folder() -> Path:
    return Path(folder_paths.get_output_directory()) / _FOLDER


def saved_names() -> list[str]:
    """Presets that the user has saved."""
    return sorted(file.stem for file in saved_folder().glob("*.json"))


def named_sliders(name: str) -> ExpressionSliders:
    """A preset of the package or one the user has saved. Raises InputError where there is none."""
    if name == _NONE:
        return ExpressionSliders()
    return load_sliders(saved_folder() / f"{name}.json" if name in saved_names() else name)


class ExpressionSlidersNode(io.ComfyNode):
    """THFEM_ExpressionSliders: a preset, and sliders on top of it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        presets = dict.fromkeys([_NONE, *preset_names(), *saved_names()])
        return schema(
            node_id="THFEM_ExpressionSliders",
            display_name="Expression Sliders (THFEM)",
            category=f"{CATEGORY}/expression",
            description="Compose an expression of parts: smile, brows, eyelids, gaze, mouth. Names and ranges are "
            "those of AdvancedLivePortrait. The editor liveportrait shows them all, mesh some of them.",
            search_aliases=["expression editor", "LivePortrait", "smile", "wink", "eyebrow", "gaze", "blink"],
            inputs=[
                io.Combo.Input(
                    "preset",
                    options=list(presets),
                    default=_NONE,
                    tooltip="Sliders to start from; those below that are not 0 replace its own.",
                ),
                *(option_input(each, each.help) for each in options_of(ExpressionSliders)),
                io.String.Input(
                    "save_as",
                    default="",
                    optional=True,
                    tooltip="Name of a preset in output/thfem_sliders to save the result as; empty: not saved.",
                ),
            ],
            outputs=[
                SlidersSocket.Output(display_name="sliders", tooltip="For SPFEM Edit and Edit Expression."),
                io.String.Output(display_name="text", tooltip="The sliders as JSON, to read or keep."),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, preset: str, save_as: str = "", **values: float) -> str:
        saved = saved_folder() / f"{preset}.json"
        changed = saved.stat().st_mtime if saved.is_file() else 0
        return f"{preset} {changed} {save_as} {sorted(values.items())}"

    @classmethod
    def execute(cls, preset: str, save_as: str = "", **values: Any) -> io.NodeOutput:
        moved = {name: values[name] for name in slider_names() if values.get(name)}
        sliders = make_options(ExpressionSliders, named_sliders(preset).values | moved, back_end="expression sliders")
        if name := save_as.strip():
            if Path(name).name != name or name.startswith("."):
                raise InputError(f"save_as is {save_as!r}; give a plain name such as my_smile")
            saved_folder().mkdir(parents=True, exist_ok=True)
            save_sliders(sliders, saved_folder() / f"{name}.json")
        return io.NodeOutput(sliders, json.dumps({"sliders": sliders.values}))
