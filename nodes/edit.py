"""SPFEM Edit: give tracked faces another expression, as a video or as images."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import closing

import torch
from comfy_api.latest import Input, io

from ..thfem_core.errors import InputError
from ..thfem_core.expression.editor import ExpressionEditor, editors
from ..thfem_core.expression.request import ExpressionRequest, ReferenceClip
from ..thfem_core.face.tracking.track import FaceChoice, FaceOrder, FaceTracks
from ..thfem_core.media.frame import Frame
from ..thfem_core.media.video import Video
from ..thfem_core.pipeline import choose_faces, edit_video, reference_in
from ..thfem_core.progress import Progress
from ..thfem_core.talking_head.head import TalkingHead
from .expression_inputs import (
    REGIONS,
    curve_input,
    emotion_inputs,
    expression_request,
    face_choice,
    face_input,
    reference_input,
    region_inputs,
)
from .host import CATEGORY, HostProgress, schema, work_device
from .payloads import Track, TrackedFaces
from .video_sockets import clip_from_socket, fps_input, images_from_frames, written_video

_log = logging.getLogger(__name__)


def editing_inputs() -> list[io.Input]:
    """All that both editing nodes ask for besides the clip."""
    return [
        Track.Input("tracks", tooltip="From Track Faces, made on this same clip."),
        *emotion_inputs(),
        face_input(),
        *region_inputs(),
        curve_input(),
        io.Combo.Input(
            "editor",
            options=list(editors.names()),
            default=editors.names()[0],
            tooltip="mesh: the embedded geometric editor. "
            "frames: take the frames of another SPFEM system from edited_frames.",
        ),
        reference_input(),
        io.MultiType.Input(
            "edited_frames",
            [io.Video, io.Image],
            optional=True,
            tooltip="For the editor frames only: the already edited clip, as many frames as the input.",
        ),
    ]


def reference_clip(reference: object | None, *, progress: Progress) -> ReferenceClip | None:
    """What a reference socket shows, or None where nothing is connected."""
    if reference is None:
        return None
    return reference_in(clip_from_socket(reference), device=work_device(), progress=progress)


def chosen_editor(name: str, edited_frames: object | None) -> ExpressionEditor:
    """The editor of the combo. Raises InputError where name and edited_frames do not belong together."""
    if (name == "frames") != (edited_frames is not None):
        raise InputError("the editor frames and the input edited_frames belong together: use both or neither")
    factory = editors.load(name)
    return factory() if edited_frames is None else factory(edited=clip_from_socket(edited_frames))


def check_same_clip(clip: Video, tracks: FaceTracks) -> None:
    """Raises InputError where the tracks were made on another clip."""
    info = clip.info
    if tracks.size != (info.width, info.height):
        raise InputError(
            f"the tracks were made on a clip of {tracks.size[0]}×{tracks.size[1]} px, but {info.name} has "
            f"{info.width}×{info.height}; connect Track Faces to the same clip"
        )


def of_same_length(frames: Generator[Frame, None, None], tracks: FaceTracks) -> Generator[Frame, None, None]:
    """The frames, counted. Raises InputError where the tracks were made on more or fewer of them."""
    count = 0
    with closing(frames):
        for frame in frames:
            count += 1
            if count > tracks.frame_count:
                break
            yield frame
    if count != tracks.frame_count:
        less = f"only {count}" if count < tracks.frame_count else "more"
        raise InputError(
            f"the tracks were made on {tracks.frame_count} frames, but this clip has {less}; "
            "connect Track Faces to the same clip"
        )


def edited_video(
    clip: Video,
    request: ExpressionRequest,
    *,
    tracks: FaceTracks,
    progress: Progress,
    editor: str | ExpressionEditor = "mesh",
    face: FaceChoice = "largest",
    order: FaceOrder = "left-right",
    talking_head: str | TalkingHead | None = None,
) -> io.NodeOutput:
    """Edit, write into the host's temp folder, and show the result on the node. talking_head: draws the lips after."""
    missing = sum(map(len, tracks.missing_frames(choose_faces(tracks, face, order))))
    if missing:
        _log.warning("%s: %d of %d frames pass unchanged, no clear face", clip.info.name, missing, tracks.frame_count)
    frames = edit_video(
        clip,
        request,
        device=work_device(),
        editor=editor,
        face=face,
        order=order,
        tracks=tracks,
        talking_head=talking_head,
    )
    return written_video(of_same_length(frames, tracks), clip, progress=progress)


class SPFEMEdit(io.ComfyNode):
    """THFEM_SPFEMEdit: stage 1 of THFEM on a stream of frames; memory does not grow with the clip."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_SPFEMEdit",
            display_name="SPFEM Edit (THFEM)",
            category=f"{CATEGORY}/expression",
            description="Give tracked faces of a video another expression and keep the speech.",
            search_aliases=["emotion", "facial expression", "expression transfer", "smile", "happy", "sad", "angry"],
            inputs=[
                io.Video.Input("video", tooltip="The clip to edit. It is streamed, so its length does not matter."),
                *editing_inputs(),
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
        tracks: TrackedFaces,
        emotion: str,
        strength: float,
        face: str,
        brows: float,
        eyes: float,
        cheeks: float,
        mouth: float,
        curve: str,
        editor: str,
        reference: object = None,
        edited_frames: object = None,
    ) -> io.NodeOutput:
        choice = face_choice(face)
        clip = clip_from_socket(video)
        check_same_clip(clip, tracks.tracks)
        progress = HostProgress(stages=1 if reference is None else 2)
        request = expression_request(
            emotion=emotion,
            strength=strength,
            regions=dict(zip(REGIONS, (brows, eyes, cheeks, mouth), strict=True)),
            curve=curve,
            reference=reference_clip(reference, progress=progress),
        )
        return edited_video(
            clip,
            request,
            editor=chosen_editor(editor, edited_frames),
            face=choice,
            order=tracks.order,
            tracks=tracks.tracks,
            progress=progress,
        )


class SPFEMEditImages(io.ComfyNode):
    """THFEM_SPFEMEditImages: the same on a batch of images, without any encoding in between."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_SPFEMEditImages",
            display_name="SPFEM Edit Images (THFEM)",
            category=f"{CATEGORY}/expression",
            description="SPFEM Edit for a batch of images, for graphs that work on IMAGE. Long clips need much memory: "
            "prefer SPFEM Edit for those.",
            search_aliases=["emotion", "facial expression", "expression images"],
            inputs=[
                io.Image.Input("images", tooltip="The frames to edit, in order."),
                *editing_inputs()[:-2],
                fps_input(),
                *editing_inputs()[-2:],
            ],
            outputs=[io.Image.Output(display_name="images", tooltip="As many frames, of the same size.")],
        )

    @classmethod
    def execute(
        cls,
        images: torch.Tensor,
        tracks: TrackedFaces,
        emotion: str,
        strength: float,
        face: str,
        brows: float,
        eyes: float,
        cheeks: float,
        mouth: float,
        curve: str,
        editor: str,
        fps: float,
        reference: object = None,
        edited_frames: object = None,
    ) -> io.NodeOutput:
        choice = face_choice(face)
        clip = clip_from_socket(images, fps=fps)
        check_same_clip(clip, tracks.tracks)
        progress = HostProgress(stages=1 if reference is None else 2)
        request = expression_request(
            emotion=emotion,
            strength=strength,
            regions=dict(zip(REGIONS, (brows, eyes, cheeks, mouth), strict=True)),
            curve=curve,
            reference=reference_clip(reference, progress=progress),
        )
        frames = edit_video(
            clip,
            request,
            device=work_device(),
            editor=chosen_editor(editor, edited_frames),
            face=choice,
            order=tracks.order,
            tracks=tracks.tracks,
            talking_head=None,
        )
        frames = of_same_length(frames, tracks.tracks)
        return io.NodeOutput(images_from_frames(frames, like=images, progress=progress))
