"""Expression Sliders: parts of an expression in numbers, for the editing nodes; saved and loaded as JSON."""

from __future__ import annotations

import json
from typing import Any

from comfy_api.latest import io

from ..thfem_core.expression.request import ExpressionRequest
from ..thfem_core.expression.sliders import ExpressionSliders, slider_names
from ..thfem_core.options import make_options, options_of
from .back_end_inputs import option_input
from .expression_files import NONE, changed, named_sliders, slider_names_of_presets
from .expression_files import save_as as save_expression_as
from .host import CATEGORY, schema
from .payloads import SlidersSocket


class ExpressionSlidersNode(io.ComfyNode):
    """THFEM_ExpressionSliders: a preset, and sliders on top of it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
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
                    options=slider_names_of_presets(),
                    default=NONE,
                    tooltip="Sliders to start from; those below that are not 0 replace its own.",
                ),
                *(option_input(each, each.help) for each in options_of(ExpressionSliders)),
                io.String.Input(
                    "save_as",
                    default="",
                    optional=True,
                    tooltip="Name to save the result under, as an expression in the user folder; empty: not saved.",
                ),
            ],
            outputs=[
                SlidersSocket.Output(display_name="sliders", tooltip="For Edit Tracked Faces and Edit Expression."),
                io.String.Output(display_name="text", tooltip="The sliders as JSON, to read or keep."),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, preset: str, save_as: str = "", **values: float) -> str:
        return f"{preset} {changed(preset)} {save_as} {sorted(values.items())}"

    @classmethod
    def execute(cls, preset: str, save_as: str = "", **values: Any) -> io.NodeOutput:
        moved = {name: values[name] for name in slider_names() if values.get(name)}
        sliders = make_options(ExpressionSliders, named_sliders(preset).values | moved, back_end="expression sliders")
        save_expression_as(ExpressionRequest(sliders=sliders), save_as)
        return io.NodeOutput(sliders, json.dumps({"sliders": sliders.values}))
