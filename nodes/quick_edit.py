"""Edit Expression: the whole way, editor and talking head, in one node."""

from __future__ import annotations

from comfy_api.latest import Input, io

from ..thfem_core.expression.request import ExpressionRequest
from ..thfem_core.expression.sliders import ExpressionSliders
from ..thfem_core.pipeline import EditConfig
from ..thfem_core.talking_head.head import talking_heads
from .edit_run import edited_video, prepared_edit
from .expression_inputs import (
    emotion_inputs,
    expression_input,
    expression_request,
    face_choice,
    face_input,
    reference_input,
    sliders_input,
)
from .host import CATEGORY, HostProgress, schema, work_device
from .talking_head_loader import drawing_head
from .talking_inputs import NONE, talking_head_input
from .video_sockets import clip_from_socket


class EditExpression(io.ComfyNode):
    """THFEM_EditExpression: video in, video with another expression out; tracking happens inside."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_EditExpression",
            display_name="Edit Expression (quick, THFEM)",
            category=CATEGORY,
            description="Give the person in a talking video another expression and keep the speech.",
            search_aliases=["emotion", "facial expression", "smile", "happy", "sad", "angry", "talking head", "SPFEM"],
            inputs=[
                io.Video.Input("video", tooltip="The clip to edit. It is streamed, so its length does not matter."),
                *emotion_inputs(),
                face_input(),
                reference_input(),
                talking_head_input(none=True),
                sliders_input(),
                expression_input(),
            ],
            outputs=[
                io.Video.Output(
                    display_name="video", tooltip="The edited clip: same frames, times, size and sound as the input."
                )
            ],
        )

    @classmethod
    def execute(
        cls,
        video: Input.Video,
        emotion: str,
        strength: float,
        face: str,
        reference: object = None,
        talking_head: str = talking_heads.names()[0],
        sliders: ExpressionSliders | None = None,
        expression: ExpressionRequest | None = None,
    ) -> io.NodeOutput:
        progress = HostProgress(stages=2 if reference is None else 3)
        request = expression_request(
            emotion=emotion, strength=strength, reference=reference, sliders=sliders, expression=expression
        )
        head, device = (None, work_device()) if talking_head == NONE else drawing_head(talking_head, None)
        config = EditConfig(request=request, face=face_choice(face), talking_head=head)
        work = prepared_edit(clip_from_socket(video), config, device=device, progress=progress)
        return edited_video(work, progress=progress)
