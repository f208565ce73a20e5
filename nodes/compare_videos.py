"""Compare Videos: two versions of a clip in one video, for the eye."""

from __future__ import annotations

from typing import get_args

from comfy_api.latest import io

from ..thfem_core.metrics.side_by_side import Layout, SideBySideVideo
from .host import CATEGORY, HostProgress, schema
from .video_sockets import clip_from_socket, fps_input, written_video


def label_input(name: str, default: str, clip: str) -> io.Input:
    """What is written onto one of the clips."""
    return io.String.Input(
        name,
        default=default,
        optional=True,
        tooltip=f"Written into a corner of the {clip} clip, in Latin letters; empty for nothing.",
    )


class CompareVideos(io.ComfyNode):
    """THFEM_CompareVideos: composed frame by frame as it is written; memory does not grow with the clips."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_CompareVideos",
            display_name="Compare Videos (THFEM)",
            category=f"{CATEGORY}/video",
            description="Show two versions of a clip in one video: side by side, one above the other, behind a moving "
            "line, or what differs.",
            search_aliases=["side by side", "before after", "wipe", "split screen", "difference", "stack videos"],
            inputs=[
                io.MultiType.Input(
                    "first", [io.Video, io.Image], tooltip="The clip shown left or above, such as the source."
                ),
                io.MultiType.Input(
                    "second",
                    [io.Video, io.Image],
                    tooltip="The clip shown right or below, such as the edit; scaled to the size of the first.",
                ),
                io.Combo.Input(
                    "layout",
                    options=list(get_args(Layout)),
                    default="side by side",
                    tooltip="wipe: a line sweeps over both clips. difference: changes, four times as strong, on gray.",
                ),
                fps_input(),
                label_input("first_label", "source", "first"),
                label_input("second_label", "edited", "second"),
            ],
            outputs=[io.Video.Output(display_name="video", tooltip="Both clips in one, with the sound of the second.")],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls, first: object, second: object, layout: str, fps: float, first_label: str = "", second_label: str = ""
    ) -> io.NodeOutput:
        clips = clip_from_socket(first, fps=fps), clip_from_socket(second, fps=fps)
        both = SideBySideVideo(*clips, layout=layout, labels=(first_label, second_label))
        return written_video(both.frames(), clips[1], progress=HostProgress())
