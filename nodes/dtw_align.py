"""Align Speech: the second of two clips with the same words, shown at the pace of the first."""

from __future__ import annotations

from fractions import Fraction
from typing import get_args

import torch
from comfy_api.latest import Input, io

from ..thfem_core.alignment.clips import AlignmentConfig, Features, align_clips
from ..thfem_core.alignment.path_plot import path_plot
from ..thfem_core.alignment.retime import RetimedVideo
from .host import CATEGORY, HostProgress, schema
from .payloads import FrameMapSocket
from .video_sockets import clip_from_socket, written_video


class DTWAlign(io.ComfyNode):
    """THFEM_DTWAlign: dynamic time warping of two clips' speech, as THFEM pairs its training clips."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_DTWAlign",
            display_name="Align Speech (THFEM)",
            category=f"{CATEGORY}/talking head",
            description="Re-time a clip to another one with the same words, by dynamic time warping of their speech.",
            search_aliases=[
                "DTW Align",
                "dynamic time warping",
                "retime",
                "synchronise clips",
                "sync clips",
                "time stretch",
            ],
            inputs=[
                io.Video.Input("first", tooltip="The clip whose pace, length and sound are kept."),
                io.Video.Input("second", tooltip="The clip to re-time: the same words, said faster or slower."),
                io.Combo.Input(
                    "features",
                    options=list(get_args(Features)),
                    default="mfcc",
                    tooltip="What is compared: mfcc as in THFEM, or the mel bands that the mouth model hears.",
                ),
                io.Float.Input(
                    "band",
                    default=0.0,
                    min=0.0,
                    max=60.0,
                    step=0.1,
                    tooltip="Seconds by which the second clip may run ahead or behind an even stretch; 0 for no limit.",
                ),
            ],
            outputs=[
                io.Video.Output(
                    display_name="video", tooltip="The pictures of the second clip at the pace and sound of the first."
                ),
                io.Image.Output(display_name="path", tooltip="The path found; dark where the clips sound alike."),
                FrameMapSocket.Output(
                    display_name="frame_map", tooltip="For each frame of the first clip the frame of the second."
                ),
                io.Float.Output(
                    display_name="cost", tooltip="How unlike the clips sound along the path, per step; 0 is identical."
                ),
            ],
        )

    @classmethod
    def execute(cls, first: Input.Video, second: Input.Video, features: Features, band: float) -> io.NodeOutput:
        clips = clip_from_socket(first), clip_from_socket(second)
        config = AlignmentConfig(features=features, band=Fraction(band).limit_denominator(1000) or None)
        progress = HostProgress(stages=2)
        alignment = align_clips(*clips, config=config, progress=progress)
        frame_map = alignment.frame_map
        retimed = RetimedVideo(first=clips[0], second=clips[1], frame_map=frame_map)
        shown = written_video(retimed.frames(), clips[0], progress=progress)
        picture = torch.from_numpy(path_plot(alignment)).float().div(255)[None]
        return io.NodeOutput(*shown.args, picture, frame_map, frame_map.mean_cost, ui=shown.ui)
