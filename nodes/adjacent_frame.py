"""Redraw Lips: the second stage of THFEM, from an edited clip or a portrait to lips that speak."""

from __future__ import annotations

from typing import Any, cast

import torch
from comfy_api.latest import Input, io

from ..thfem_core.audio.speech import Speech
from ..thfem_core.errors import InputError
from ..thfem_core.expression.request import Emotion, ExpressionRequest
from ..thfem_core.media.sound import Sound
from ..thfem_core.pipeline import EditConfig, StillVideo
from ..thfem_core.talking_head.head import Drive
from ..thfem_core.talking_head.windows import WindowConfig, WindowSource
from .edit_run import edited_video, prepared_edit
from .expression_inputs import expression_input, face_choice, face_input
from .host import CATEGORY, HostProgress, schema
from .payloads import (
    EncodedPoses,
    LoadedTalkingHead,
    Pose,
    SpeechSocket,
    TalkingHeadSocket,
    Track,
    TrackedFaces,
)
from .talking_head_loader import drawing_head
from .talking_inputs import UNKNOWN, drive_input, shown_emotion_input, talking_head_choice, window_inputs
from .video_sockets import clip_from_socket, fps_input, frame_rate, sound_from_audio

_HEAD = talking_head_choice()


class AdjacentFrameTalkingHead(io.ComfyNode):
    """THFEM_AdjacentFrameTalkingHead: windows of edited frames are drawn again as the speech says, as a stream."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_AdjacentFrameTalkingHead",
            display_name="Redraw Lips (THFEM)",
            category=f"{CATEGORY}/talking head",
            description="Draw the lips of edited frames as the speech says, a few frames from each source frame. Also "
            "makes a portrait speak.",
            search_aliases=[
                *("Adjacent-Frame Talking Head", "talking head", "lip sync", "audio driven", "talking portrait"),
                *("AD-THG", "wav2lip"),
            ],
            inputs=[
                io.MultiType.Input(
                    "video",
                    [io.Video, io.Image],
                    tooltip="The edited clip: a video or a batch of images; or one portrait, which then speaks.",
                ),
                Track.Input("tracks", tooltip="From Track Faces, of the clip before the edit, or of the portrait."),
                face_input(),
                _HEAD.input(),
                drive_input(),
                *window_inputs(),
                fps_input(),
                Pose.Input(
                    "poses", optional=True, tooltip="From Read Head Poses; without it they are read from the tracks."
                ),
                io.MultiType.Input(
                    "speech",
                    [SpeechSocket, io.Audio],
                    optional=True,
                    tooltip="From Prepare Speech; or a sound, which is then heard in place of the clip's own. Without "
                    "it the clip's own sound speaks.",
                ),
                TalkingHeadSocket.Input(
                    "model",
                    optional=True,
                    tooltip="From Talking Head Loader; used instead of the one named in talking_head.",
                ),
                shown_emotion_input(),
                expression_input("From Expression Preview: what the edited face shows, instead of emotion."),
            ],
            has_intermediate_output=True,
            outputs=[
                io.Video.Output(
                    display_name="video",
                    tooltip="The clip with speaking lips; frames, times and size as in the input.",
                )
            ],
        )

    @classmethod
    def execute(
        cls,
        video: Input.Video | torch.Tensor,
        tracks: TrackedFaces,
        face: str,
        drive: Drive,
        window: int,
        window_source: WindowSource,
        overlap: int,
        fps: float,
        poses: EncodedPoses | None = None,
        speech: Speech | Input.Audio | None = None,
        model: LoadedTalkingHead | None = None,
        emotion: str = UNKNOWN,
        expression: ExpressionRequest | None = None,
        **choice: Any,
    ) -> io.NodeOutput:
        if poses is not None and poses.tracks is not tracks.tracks:
            raise InputError("the poses are of other faces; connect Read Head Poses to the same Track Faces")
        spoken = speech if isinstance(speech, Speech) else sound_from_audio(speech)
        # a portrait has no sound of its own: what moves its lips is heard, too
        portrait = isinstance(video, torch.Tensor) and len(video) == tracks.tracks.frame_count == 1
        clip = _portrait(video, spoken, fps) if portrait else clip_from_socket(video, fps=fps)
        name, options = _HEAD.chosen(cls, choice) if model is None else (model.name, {})
        head, device = drawing_head(name, options, model)
        shown = None if emotion == UNKNOWN else cast(Emotion, emotion)
        if expression is not None:
            shown = expression.emotion
        config = EditConfig(
            face=face_choice(face),
            face_order=tracks.order,
            **head,
            drive=drive,
            window=WindowConfig(size=window, source=window_source, overlap=overlap),
            shown_emotion=shown,
        )
        progress = HostProgress()
        work = prepared_edit(
            clip,
            config,
            tracks=tracks.tracks,
            sound=spoken,
            poses=() if poses is None else poses.poses,
            device=device,
            progress=progress,
        )
        return edited_video(work, progress=progress)


def _portrait(image: torch.Tensor, spoken: Sound | Speech | None, fps: float) -> StillVideo:
    """One image for as long as somebody speaks."""
    if spoken is None:
        raise InputError("a portrait has no sound of its own; connect Load Audio or Prepare Speech to speech")
    sound = Sound(spoken.samples[None], spoken.sample_rate) if isinstance(spoken, Speech) else spoken
    return StillVideo(image[0, ..., :3], sound, frame_rate(fps), name="portrait")
