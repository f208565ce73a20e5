"""Metrics: what an edit kept and what it changed, as a table and plots on the node."""

from __future__ import annotations

import logging
from typing import get_args

import numpy as np
import torch
from comfy_api.latest import io, ui

from ..thfem_core.errors import InputError
from ..thfem_core.expression.request import EMOTIONS, ExpressionRequest
from ..thfem_core.face.models import default_face_models
from ..thfem_core.figure import as_pixels
from ..thfem_core.metrics.charts import HEIGHT, WIDTH, draw_charts
from ..thfem_core.metrics.comparison import compare_clips
from ..thfem_core.metrics.findings import Comparison
from ..thfem_core.metrics.judges.choosing import Choice, choose_judges
from ..thfem_core.metrics.verdict_picture import verdict_picture
from ..thfem_core.metrics.verdict_table import text_table
from ..thfem_core.metrics.visual_pass import ComparisonConfig
from .expression_inputs import expression_input
from .host import CATEGORY, HostProgress, advanced, model_folders, schema, work_device
from .video_sockets import clip_from_socket, fps_input

_log = logging.getLogger(__name__)

NO_TARGET = "none"


class Metrics(io.ComfyNode):
    """THFEM_Metrics: one streaming pass over both clips (a second one where lips and sound are compared)."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_Metrics",
            display_name="Metrics (THFEM)",
            category=f"{CATEGORY}/metrics",
            description="Measure an edited clip against its source: speech kept, expression changed, same person, "
            "steady picture. Each number comes with its good and bad range.",
            search_aliases=[
                "quality",
                "evaluate",
                "lip sync error",
                "LSE-D",
                "LSE-C",
                "FAD",
                "CSIM",
                "SSIM",
                "identity",
            ],
            inputs=[
                io.MultiType.Input("source", [io.Video, io.Image], tooltip="The clip before the edit."),
                io.MultiType.Input("output", [io.Video, io.Image], tooltip="The clip after the edit."),
                io.Combo.Input(
                    "target_emotion",
                    options=[NO_TARGET, *EMOTIONS],
                    default=NO_TARGET,
                    tooltip="The expression that was wanted; networks then say how probable it is before and after.",
                ),
                io.Combo.Input(
                    "networks",
                    options=list(get_args(Choice)),
                    default="auto",
                    tooltip="auto: all whose files are in models/thfem. official: those of the papers, downloaded if "
                    "need be (FAD, CSIM, LSE). offline: stand-ins. none: landmarks and pixels only.",
                ),
                *advanced(
                    io.Int.Input(
                        "every",
                        default=ComparisonConfig().every,
                        min=1,
                        max=1000,
                        tooltip="Networks look at every N-th frame; 1 as the papers do, more is faster.",
                    )
                ),
                fps_input(),
                io.MultiType.Input(
                    "reference",
                    [io.Video, io.Image],
                    optional=True,
                    tooltip="A real clip of the wanted expression, for CSIM (expression) and FAD (realism).",
                ),
                io.MultiType.Input(
                    "ground_truth",
                    [io.Video, io.Image],
                    optional=True,
                    tooltip="What the output should be, pixel by pixel, for PSNR, SSIM and LPIPS.",
                ),
                expression_input("From Expression Preview: the expression that was wanted, instead of target_emotion."),
            ],
            outputs=[
                io.String.Output(display_name="table", tooltip="All measures with arrows, ranges and meanings."),
                io.Image.Output(
                    display_name="plots", tooltip="Lip opening over time; emotions and lip-sound distance if measured."
                ),
                io.Image.Output(
                    display_name="verdict", tooltip="The table as a picture: good, so-so and bad in colours."
                ),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        source: object,
        output: object,
        target_emotion: str,
        networks: str,
        every: int,
        fps: float,
        reference: object = None,
        ground_truth: object = None,
        expression: ExpressionRequest | None = None,
    ) -> io.NodeOutput:
        progress, device = HostProgress(stages=2), work_device()
        wanted = target_emotion if expression is None else expression.emotion or NO_TARGET
        expected = None if reference is None else clip_from_socket(reference, fps=fps)
        truth = None if ground_truth is None else clip_from_socket(ground_truth, fps=fps)
        judges, missing = choose_judges(
            networks, device=device, folders=model_folders(), with_truth=truth is not None, progress=progress
        )
        if missing:
            _log.info("left out, their files are not on this machine: %s", ", ".join(missing))
        found = compare_clips(
            clip_from_socket(source, fps=fps),
            clip_from_socket(output, fps=fps),
            faces=default_face_models(device),
            judges=judges,
            reference=expected,
            truth=truth,
            target_emotion=None if wanted == NO_TARGET else wanted,
            config=ComparisonConfig(every=every),
            progress=progress,
        )
        table = text_table(found)
        plots = torch.from_numpy(_plots(found)).float().div(255)
        verdict = torch.from_numpy(_verdict(found)).float().div(255)[None]
        # one picture fills the node: beside the plots the table could not be read
        shown = ui.PreviewImage(verdict, cls=cls).as_dict()
        return io.NodeOutput(table, plots, verdict, ui=shown | ui.PreviewText(table).as_dict())


def _verdict(comparison: Comparison) -> np.ndarray:
    """The table as a picture, (H, W, 3) uint8; a white one without matplotlib."""
    try:
        return as_pixels(verdict_picture(comparison))
    except InputError:  # _plots tells of it
        return np.full((HEIGHT, WIDTH, 3), 255, np.uint8)


def _plots(comparison: Comparison) -> np.ndarray:
    """All plots, (N, 320, 768, 3) uint8; a white one without matplotlib, so that the table is not lost."""
    try:
        return np.stack([as_pixels(figure) for figure in draw_charts(comparison)])
    except InputError as missing:
        _log.warning("%s", missing)
        return np.full((1, HEIGHT, WIDTH, 3), 255, np.uint8)
