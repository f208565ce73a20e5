"""Expression Preview: one frame before and after an edit, live under sliders; the expression goes on to the edit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from comfy_api.latest import Input, io, ui

from ..thfem_core.expression.editor import editors
from ..thfem_core.expression.request import ExpressionRequest, RegionStrengths, StrengthCurve
from ..thfem_core.expression.saved_request import adjusted
from ..thfem_core.loaded import Kept
from ..thfem_core.media.identity import clip_identity
from ..thfem_core.media.video import Video
from ..thfem_core.pipeline import EditConfig
from ..thfem_core.pipeline.contact_sheet import Sheet, contact_sheet, sheet_configs
from ..thfem_core.pipeline.preview import ClipPreview, PreviewedFrame
from .back_end_choice import BackEndChoice
from .checks import check_choice, check_curve, first_fault
from .editors_in_host import editing_editor, is_large, load_editor_in_host
from .expression_files import NONE, changed, expression_names, named_expression, save_as
from .expression_inputs import (
    REGIONS,
    curve_input,
    drawn_curve,
    drawn_curve_inputs,
    emotion_inputs,
    expression_request,
    face_choice,
    face_input,
    reference_input,
    region_inputs,
    sliders_input,
    strength_curve,
)
from .host import CATEGORY, HostProgress, advanced, model_folders, schema, slider, work_device
from .payloads import ChosenEditor, EditorSocket, ExpressionSocket, LoadedEditor, Track, TrackedFaces
from .talking_head_loader import drawing_head
from .talking_inputs import NONE as NO_HEAD
from .talking_inputs import talking_head_choice
from .video_sockets import clip_from_socket

FRAME, EMOTIONS_SHEET, STRENGTHS_SHEET = "before and after", "all emotions", "five strengths"
_PREVIEWS: Kept[ClipPreview] = Kept(2)  # a few frames of each clip, and what was read from its faces


_EDITORS: Kept[LoadedEditor] = Kept(1)  # large ones chosen by name, which would load at every move of a slider
_HEADS: Kept[tuple[dict[str, Any], torch.device]] = Kept(1)

_EDITOR = BackEndChoice("editor", editors, purpose="The editing method", common_only=True)
_HEAD = talking_head_choice(none=True, default=NO_HEAD)


class ExpressionPreview(io.ComfyNode):
    """THFEM_ExpressionPreview: only the frame that is shown is decoded and edited."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_ExpressionPreview",
            display_name="Expression Preview (THFEM)",
            category=f"{CATEGORY}/expression",
            description="Choose an expression and see it on one frame at once, before the clip is edited. Queue on "
            "change, in the menu of the run button, makes it live.",
            search_aliases=["expression editor", "live preview", "emotion", "contact sheet", "AdvancedLivePortrait"],
            inputs=[
                io.MultiType.Input("video", [io.Video, io.Image], tooltip="The clip, or a picture."),
                slider(
                    "moment",
                    default=0.5,
                    minimum=0.0,
                    maximum=1.0,
                    step=0.01,
                    tooltip="Which frame to show, from the beginning (0) to the end (1) of the clip.",
                ),
                io.Combo.Input(
                    "preset",
                    options=expression_names(),
                    default=NONE,
                    tooltip="An expression by name, in place of the emotion: those of the pack, and those you saved. "
                    "Strength and factors multiply its own.",
                ),
                *emotion_inputs(),
                *advanced(*region_inputs()),
                *advanced(curve_input()),
                io.Combo.Input(
                    "show",
                    options=[FRAME, EMOTIONS_SHEET, STRENGTHS_SHEET],
                    default=FRAME,
                    tooltip="The frame before and after, or its face under all emotions or at five strengths.",
                ),
                face_input(),
                *advanced(_EDITOR.input()),
                *advanced(_HEAD.input()),
                *advanced(
                    io.String.Input(
                        "save_as",
                        default="",
                        optional=True,
                        tooltip="Name to save the expression under, in the user folder; empty: not saved.",
                    )
                ),
                Track.Input(
                    "tracks",
                    optional=True,
                    tooltip="From Track Faces, of the whole clip: the picture is then exactly that of the edit. "
                    "Without it faces are looked for around the frame.",
                ),
                reference_input(),
                sliders_input(),
                EditorSocket.Input(
                    "editor_options",
                    optional=True,
                    tooltip="From one of the Editor nodes: that editor with its options, instead of the one named in "
                    "editor.",
                ),
                *drawn_curve_inputs(),
            ],
            outputs=[
                ExpressionSocket.Output(
                    display_name="expression",
                    tooltip="What you see, for Edit Expression, Edit Tracked Faces, the talking head and Metrics.",
                ),
                io.Image.Output(display_name="picture", tooltip="What the node shows."),
                io.Image.Output(display_name="edited", tooltip="The edited frame alone."),
            ],
            is_output_node=True,
            hidden=[io.Hidden.unique_id, io.Hidden.prompt],
        )

    @classmethod
    def fingerprint_inputs(cls, preset: str = NONE, save_as: str = "", **inputs: Any) -> str:
        # what is linked is None here; the host notices its changes by itself
        return f"{preset} {changed(preset)} {save_as} {sorted((k, str(v)) for k, v in inputs.items())}"

    @classmethod
    def validate_inputs(cls, curve: str = "", editor: Any = None, talking_head: Any = None) -> bool | str:
        return first_fault(
            check_curve(curve), check_choice(_EDITOR, editor, files=False), check_choice(_HEAD, talking_head)
        )

    @classmethod
    def execute(
        cls, video: Input.Video | torch.Tensor, moment: float, preset: str, show: str, **inputs: Any
    ) -> io.NodeOutput:
        tracks: TrackedFaces | None = inputs.get("tracks")
        rate = 25.0 if tracks is None else float(tracks.tracks.frame_rate)
        clip = clip_from_socket(video, fps=rate)
        request = _request(preset, inputs, seconds=float(clip.info.duration or 0))
        save_as(request, inputs.get("save_as", ""))
        config, device = _config(cls, request, tracks, inputs)
        preview = _open(clip, tracks, device)
        index = round(moment * (preview.frame_count - 1))
        shown = preview.edit(index, config)
        if show == FRAME:
            picture = np.concatenate([shown.source, shown.edited], axis=1)
        else:
            sheet: Sheet = "emotions" if show == EMOTIONS_SHEET else "strengths"
            picture = contact_sheet(preview, index, sheet_configs(config, sheet))
        picture_socket, edited_socket = (
            torch.from_numpy(each).float().div(255)[None] for each in (picture, shown.edited)
        )
        told = ui.PreviewText(_told(shown, exact=preview.knows_clip)).as_dict()
        return io.NodeOutput(
            request, picture_socket, edited_socket, ui=ui.PreviewImage(picture_socket, cls=cls).as_dict() | told
        )


def _request(preset: str, inputs: Mapping[str, Any], *, seconds: float) -> ExpressionRequest:
    """The expression that the node's inputs ask for, of a clip of some length."""
    curve = drawn_curve(inputs, seconds) or strength_curve(inputs["curve"])
    regions = {region: inputs[region] for region in REGIONS}
    chosen = named_expression(preset)
    if chosen is None or inputs.get("reference") is not None:
        return expression_request(
            emotion=inputs["emotion"],
            strength=inputs["strength"],
            regions=regions,
            curve=curve,
            reference=inputs.get("reference"),
            sliders=inputs.get("sliders"),
        )
    return adjusted(
        chosen,
        strength=inputs["strength"],
        regions=RegionStrengths(**regions),
        curve=None if curve == StrengthCurve() else curve,
        sliders=inputs.get("sliders"),
    )


def _config(
    node: type[io.ComfyNode], request: ExpressionRequest, tracks: TrackedFaces | None, inputs: Mapping[str, Any]
) -> tuple[EditConfig, torch.device]:
    """The edit, and where it draws."""
    chosen: ChosenEditor | None = inputs.get("editor_options")
    name, options = _EDITOR.chosen(node, inputs) if chosen is None else (chosen.name, dict(chosen.options))
    loaded = None if chosen is None else chosen.loaded
    if loaded is None and is_large(name):
        loaded = _EDITORS.get_or_make((name, repr(sorted(options.items()))), lambda: load_editor_in_host(name, options))
    editor, device = editing_editor(name, options, loaded)
    head_name, head_options = _HEAD.chosen(node, inputs)
    head: dict[str, Any] = {"talking_head": None}
    head_device = None
    if head_name != NO_HEAD:
        kept_as = (head_name, repr(sorted(head_options.items())))
        head, head_device = _HEADS.get_or_make(kept_as, lambda: drawing_head(head_name, head_options))
    config = EditConfig(
        request=request,
        editor=editor,
        editor_options=options if isinstance(editor, str) else {},
        face=face_choice(inputs["face"]),
        face_order="left-right" if tracks is None else tracks.order,
        **head,
    )
    return config, device or head_device or work_device()


def _open(clip: Video, tracks: TrackedFaces | None, device: torch.device) -> ClipPreview:
    """The clip, as it was opened before where that is possible."""
    identity = clip_identity(clip)
    faces = None if tracks is None else tracks.tracks
    return _PREVIEWS.get_or_make(
        None if identity is None else (identity, faces, str(device)),
        lambda: ClipPreview(clip, device=device, tracks=faces, folders=model_folders(), progress=HostProgress()),
    )


def _told(shown: PreviewedFrame, *, exact: bool) -> str:
    """What was done to the frame, for the node."""
    where = f"Frame {shown.index}, {float(shown.time):.2f} s: "
    if not shown.faces:
        return f"{where}no face that can be edited here. Move to another moment, or choose another face."
    words = f"{where}{len(shown.faces)} face{'s' * (len(shown.faces) > 1)} edited"
    words += f"; lips: {shown.lips}" if shown.lips else ""
    return words + (
        "; as the edit will show it" if exact else "; about as the edit will show it (exactly with Track Faces)"
    )
