"""Edit Tracked Faces: give tracked faces another expression, as a video or as images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from comfy_api.latest import Input, io, ui

from ..thfem_core.expression.editor import editors
from ..thfem_core.pipeline import EditConfig
from .back_end_choice import BackEndChoice
from .back_end_inputs import chosen_options, clip_inputs
from .checks import check_choice, check_curve, first_fault
from .edit_run import edit_progress, edited_video, prepared_edit, tell
from .editors_in_host import editing_editor
from .expression_inputs import (
    REGIONS,
    curve_input,
    drawn_curve,
    drawn_curve_inputs,
    emotion_inputs,
    expression_input,
    expression_request,
    face_choice,
    face_input,
    reference_input,
    region_inputs,
    sliders_input,
)
from .host import CATEGORY, advanced, schema
from .occlusion_inputs import occlusion_and_licence, occlusion_inputs
from .payloads import EditorSocket, Track, TrackedFaces
from .video_sockets import clip_from_socket, fps_input, images_from_frames

EDITOR = BackEndChoice("editor", editors, purpose="The editing method")


def editing_inputs(*more: io.Input) -> list[io.Input]:
    """All that both editing nodes ask for besides the clip; ``more`` goes where saved graphs have it."""
    return [
        Track.Input("tracks", tooltip="From Track Faces, made on this same clip."),
        *emotion_inputs(),
        face_input(),
        *advanced(*region_inputs(), curve_input()),
        EDITOR.input(),
        *more,
        reference_input(),
        sliders_input(),
        *clip_inputs(editors),
        EditorSocket.Input(
            "editor_options",
            optional=True,
            tooltip="From one of the Editor nodes: that editor with its options, instead of the one named in editor.",
        ),
        expression_input(),
        *drawn_curve_inputs(),
        *occlusion_inputs(),
    ]


def edit_config(
    node: type[io.ComfyNode], tracks: TrackedFaces, inputs: Mapping[str, Any]
) -> tuple[EditConfig, torch.device | None]:
    """What the inputs of an editing node ask for.

    Args:
        node: The node that is executed.
        tracks: From Track Faces.
        inputs: Values of :func:`editing_inputs`, by name.

    Returns:
        The edit, without a talking head, and where the editor draws; None leaves that to the host.

    Raises:
        InputError: A value is out of range, or a clip is connected that the editor does not take.
    """
    request = expression_request(
        emotion=inputs["emotion"],
        strength=inputs["strength"],
        regions={region: inputs[region] for region in REGIONS},
        curve=drawn_curve(inputs, float(tracks.tracks.frame_count / tracks.tracks.frame_rate)) or inputs["curve"],
        reference=inputs.get("reference"),
        sliders=inputs.get("sliders"),
        expression=inputs.get("expression"),
    )
    chosen = inputs.get("editor_options")
    editor, options = EDITOR.chosen(node, inputs) if chosen is None else (chosen.name, chosen.options)
    clips = {each.id: inputs.get(each.id) for each in clip_inputs(editors)}
    options = {**options, **chosen_options(editors, editor, clips)}
    ready, device = editing_editor(editor, options, None if chosen is None else chosen.loaded)
    config = EditConfig(
        request=request,
        editor=ready,
        editor_options=options if isinstance(ready, str) else {},
        face=face_choice(inputs["face"]),
        face_order=tracks.order,
        talking_head=None,
        **occlusion_and_licence(inputs),
    )
    return config, device


class SPFEMEdit(io.ComfyNode):
    """THFEM_SPFEMEdit: stage 1 of THFEM on a stream of frames; memory does not grow with the clip."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_SPFEMEdit",
            display_name="Edit Tracked Faces (THFEM)",
            category=f"{CATEGORY}/expression",
            description="Give tracked faces of a video another expression and keep the speech.",
            search_aliases=[
                *("SPFEM Edit", "emotion", "facial expression", "expression transfer", "smile", "happy", "sad", "angry")
            ],
            inputs=[
                io.Video.Input("video", tooltip="The clip to edit. It is streamed, so its length does not matter."),
                *editing_inputs(),
            ],
            has_intermediate_output=True,
            outputs=[
                io.Video.Output(
                    display_name="video", tooltip="The edited clip: same frames, times, size and sound as the input."
                )
            ],
        )

    @classmethod
    def validate_inputs(cls, curve: str = "", editor: Any = None) -> bool | str:
        return first_fault(check_curve(curve), check_choice(EDITOR, editor, files=False))

    @classmethod
    def execute(cls, video: Input.Video, tracks: TrackedFaces, **inputs: Any) -> io.NodeOutput:
        config, device = edit_config(cls, tracks, inputs)
        clip = clip_from_socket(video)
        progress = edit_progress(clip, tracks.tracks, config.request)
        work = prepared_edit(clip, config, tracks=tracks.tracks, device=device, progress=progress)
        return edited_video(work, progress=progress)


class SPFEMEditImages(io.ComfyNode):
    """THFEM_SPFEMEditImages: the same on a batch of images, without any encoding in between."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_SPFEMEditImages",
            display_name="Edit Tracked Faces in Images (THFEM)",
            category=f"{CATEGORY}/expression",
            description="Edit Tracked Faces for a batch of images, for graphs that work on IMAGE. Long clips need much "
            "memory: prefer Edit Tracked Faces for those.",
            search_aliases=["SPFEM Edit Images", "emotion", "facial expression", "expression images"],
            inputs=[
                io.Image.Input("images", tooltip="The frames to edit, in order."),
                *editing_inputs(fps_input()),
            ],
            has_intermediate_output=True,
            outputs=[io.Image.Output(display_name="images", tooltip="As many frames, of the same size.")],
        )

    @classmethod
    def validate_inputs(cls, curve: str = "", editor: Any = None) -> bool | str:
        return first_fault(check_curve(curve), check_choice(EDITOR, editor, files=False))

    @classmethod
    def execute(cls, images: torch.Tensor, tracks: TrackedFaces, fps: float, **inputs: Any) -> io.NodeOutput:
        config, device = edit_config(cls, tracks, inputs)
        clip = clip_from_socket(images, fps=fps)
        progress = edit_progress(clip, tracks.tracks, config.request)
        work = prepared_edit(clip, config, tracks=tracks.tracks, device=device, progress=progress)
        edited = images_from_frames(progress.shown(work.frames()), like=images, progress=progress)
        told = ui.PreviewText(tell(work.report, "images"))
        return io.NodeOutput(edited, ui=told)
