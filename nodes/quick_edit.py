"""Edit Expression: the whole way, editor and talking head, in one node."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import Input, io

from ..thfem_core.media.sound import join_sound
from ..thfem_core.pipeline import EditConfig
from ..thfem_core.talking_head.head import talking_heads
from .checks import check_choice
from .edit_parts import EditParts
from .edit_run import edit_progress, edited_video, prepared_edit
from .expression_inputs import (
    emotion_inputs,
    expression_input,
    expression_request,
    face_choice,
    face_input,
    reference_input,
    sliders_input,
)
from .host import CATEGORY, schema, work_device
from .occlusion_inputs import occlusion_and_licence, occlusion_inputs
from .payloads import Track, TrackedFaces
from .talking_head_loader import drawing_head
from .talking_inputs import NONE, talking_head_choice
from .video_sockets import audio_from_sound, clip_with_audio, fps_input
from .wanted_outputs import connections, wanted_outputs

_HEAD = talking_head_choice(none=True, default=talking_heads.names()[0])
_OUTPUTS = ("video", "images", "audio", "mask", "crop")


class EditExpression(io.ComfyNode):
    """THFEM_EditExpression: faces are found inside, once per clip; outputs that nobody takes are not made."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_EditExpression",
            display_name="Edit Expression (THFEM)",
            category=CATEGORY,
            description="Give the person in a talking video another expression and keep the speech.",
            search_aliases=["emotion", "facial expression", "smile", "happy", "sad", "angry", "talking head", "SPFEM"],
            inputs=[
                io.MultiType.Input(
                    "video",
                    [io.Video, io.Image],
                    tooltip="The clip to edit: a video, which is streamed, so that its length does not matter, or a "
                    "batch of images.",
                ),
                *emotion_inputs(),
                face_input(),
                reference_input(),
                _HEAD.input(),
                sliders_input(),
                expression_input(),
                Track.Input(
                    "tracks",
                    optional=True,
                    tooltip="From Track Faces, made on this same clip; without it faces are found here, once per clip.",
                ),
                io.Audio.Input(
                    "audio",
                    optional=True,
                    tooltip="The sound of a batch of images; or what is to be said and heard in place of a video's own "
                    "sound.",
                ),
                fps_input(optional=True),
                *occlusion_inputs(),
            ],
            has_intermediate_output=True,
            outputs=[
                io.Video.Output(
                    display_name="video", tooltip="The edited clip: same frames, times, size and sound as the input."
                ),
                io.Image.Output(display_name="images", tooltip="Its frames; only made where this is connected."),
                io.Audio.Output(display_name="audio", tooltip="Its sound; empty where it has none."),
                io.Mask.Output(
                    display_name="mask", tooltip="Where the edited faces are; only made where this is connected."
                ),
                io.Image.Output(
                    display_name="crop",
                    tooltip="The first edited face, cut out of every frame at one size; only made where this is "
                    "connected.",
                ),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.prompt],
        )

    @classmethod
    def validate_inputs(cls, talking_head: Any = None) -> bool | str:
        return check_choice(_HEAD, talking_head)

    @classmethod
    def fingerprint_inputs(cls, **inputs: Any) -> str:
        return connections(cls)

    @classmethod
    def execute(
        cls,
        video: Input.Video | torch.Tensor,
        emotion: str,
        strength: float,
        face: str,
        tracks: TrackedFaces | None = None,
        audio: Input.Audio | None = None,
        fps: float = 25.0,
        **inputs: Any,
    ) -> io.NodeOutput:
        kept = occlusion_and_licence(inputs)
        asked = {name: inputs[name] for name in ("reference", "sliders", "expression") if name in inputs}
        request = expression_request(emotion=emotion, strength=strength, **asked)
        name, options = _HEAD.chosen(cls, inputs)
        head, device = ({"talking_head": None}, work_device()) if name == NONE else drawing_head(name, options)
        config = EditConfig(
            request=request,
            face=face_choice(face),
            face_order="left-right" if tracks is None else tracks.order,
            **head,
            **kept,
        )
        clip, spoken, note = clip_with_audio(video, audio, fps=fps)
        progress = edit_progress(clip, None if tracks is None else tracks.tracks, request)
        work = prepared_edit(
            clip,
            config,
            tracks=None if tracks is None else tracks.tracks,
            sound=spoken,
            device=device,
            progress=progress,
            notes=note,
        )
        wanted = {_OUTPUTS[slot] for slot in wanted_outputs(cls, len(_OUTPUTS))}
        parts = EditParts(wanted, work.faces.chosen)
        result = edited_video(work, progress=progress, parts=parts)
        heard = None
        if "audio" in wanted:
            heard = audio_from_sound(work.sound or join_sound(clip.sound_blocks()))
        return io.NodeOutput(*result.args, parts.images, heard, parts.mask, parts.crop, ui=result.ui)
