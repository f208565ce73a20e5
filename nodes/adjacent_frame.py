"""Adjacent-Frame Talking Head: the second stage of THFEM, from an edited clip or a portrait to lips that speak."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import torch
from comfy_api.latest import Input, io

from ..thfem_core.audio.speech import Speech
from ..thfem_core.errors import InputError
from ..thfem_core.face.tracking.track import FaceTracks
from ..thfem_core.media.sound import Sound
from ..thfem_core.media.video import Video
from ..thfem_core.pipeline import edit_video
from ..thfem_core.pose.encoder import HeadPoses
from ..thfem_core.talk import cut_to
from ..thfem_core.talking_head.head import Drive
from ..thfem_core.talking_head.redraw import prepare_talking
from ..thfem_core.talking_head.still import StillFaces, still_poses, still_video
from ..thfem_core.talking_head.windows import WindowConfig, WindowSource
from .edit import check_same_clip, of_same_length
from .expression_inputs import face_choice, face_input
from .host import CATEGORY, HostProgress, schema
from .payloads import (
    EncodedPoses,
    HeardSpeech,
    LoadedTalkingHead,
    Pose,
    SpeechSocket,
    TalkingHeadSocket,
    Track,
    TrackedFaces,
)
from .talking_head_loader import drawing_head
from .talking_inputs import UNKNOWN, drive_input, shown_emotion_input, talking_head_input, window_inputs
from .video_sockets import clip_from_socket, fps_input, frame_rate, sound_from_audio, written_video

_log = logging.getLogger(__name__)


class AdjacentFrameTalkingHead(io.ComfyNode):
    """THFEM_AdjacentFrameTalkingHead: windows of edited frames are drawn again as the speech says, as a stream."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_AdjacentFrameTalkingHead",
            display_name="Adjacent-Frame Talking Head (THFEM)",
            category=f"{CATEGORY}/talking head",
            description="Draw the lips of edited frames as the speech says, a few frames from each source frame. Also "
            "makes a portrait speak.",
            search_aliases=["talking head", "lip sync", "audio driven", "talking portrait", "AD-THG", "wav2lip"],
            inputs=[
                io.MultiType.Input(
                    "video",
                    [io.Video, io.Image],
                    tooltip="The edited clip: a video or a batch of images; or one portrait, which then speaks.",
                ),
                Track.Input("tracks", tooltip="From Track Faces, of the clip before the edit, or of the portrait."),
                face_input(),
                talking_head_input(),
                drive_input(),
                *window_inputs(),
                fps_input(),
                Pose.Input(
                    "poses", optional=True, tooltip="From Pose Encode; without it they are read from the tracks."
                ),
                io.MultiType.Input(
                    "speech",
                    [SpeechSocket, io.Audio],
                    optional=True,
                    tooltip="From Audio Window; or a sound, which is then heard in place of the clip's own. Without it "
                    "the clip's own sound speaks.",
                ),
                TalkingHeadSocket.Input(
                    "model",
                    optional=True,
                    tooltip="From Talking Head Loader; used instead of the one named in talking_head.",
                ),
                shown_emotion_input(),
            ],
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
        talking_head: str,
        drive: Drive,
        window: int,
        window_source: WindowSource,
        overlap: int,
        fps: float,
        poses: EncodedPoses | None = None,
        speech: HeardSpeech | Input.Audio | None = None,
        model: LoadedTalkingHead | None = None,
        emotion: str = UNKNOWN,
    ) -> io.NodeOutput:
        choice, progress = face_choice(face), HostProgress()
        config = WindowConfig(size=window, source=window_source, overlap=overlap)
        if poses is not None and poses.tracks is not tracks.tracks:
            raise InputError("the poses are of other faces; connect Pose Encode to the same Track Faces")
        spoken = speech.speech if isinstance(speech, HeardSpeech) else sound_from_audio(speech)
        known = () if poses is None else poses.poses
        if isinstance(video, torch.Tensor) and len(video) == tracks.tracks.frame_count == 1:
            scene = _portrait(video, tracks.tracks, known, spoken, fps)
            config, drive = replace(config, source="opening"), "audio" if drive == "blend" else drive
        else:
            clip = clip_from_socket(video, fps=fps)
            scene = _Scene(clip=clip, tracks=tracks.tracks, poses=known, sound=_heard(spoken, clip))
        check_same_clip(scene.clip, scene.tracks)
        head, device = drawing_head(talking_head, model)
        talking = prepare_talking(
            scene.clip,
            head,
            drive=drive,
            window=config,
            sound=spoken if isinstance(spoken, Speech) else scene.sound,
            poses=scene.poses,
            emotion=None if emotion == UNKNOWN else emotion,
            required=True,
            warn=_log.warning,
        )
        frames = edit_video(
            scene.clip,
            None,
            device=device,
            face=choice,
            order=tracks.order,
            tracks=scene.tracks,
            talking_head=talking,
        )
        return written_video(of_same_length(frames, scene.tracks), scene.clip, sound=scene.sound, progress=progress)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scene:
    """What is drawn. sound: heard in place of the clip's own."""

    clip: Video
    tracks: FaceTracks
    poses: tuple[HeadPoses, ...]
    sound: Sound | None


def _heard(spoken: Sound | Speech | None, clip: Video) -> Sound | None:
    """A connected sound, as long as the clip; None where the clip keeps its own."""
    if not isinstance(spoken, Sound):
        return None
    warnings: list[str] = []
    sound = cut_to(spoken, clip, name="the connected sound", warnings=warnings)
    for line in warnings:
        _log.warning(line)
    return sound


def _portrait(
    image: torch.Tensor,
    tracks: FaceTracks,
    poses: tuple[HeadPoses, ...],
    spoken: Sound | Speech | None,
    fps: float,
) -> _Scene:
    """One image for as long as somebody speaks. Raises InputError where nobody does."""
    if spoken is None:
        raise InputError("a portrait has no sound of its own; connect Load Audio or Audio Window to speech")
    if isinstance(spoken, Speech):
        spoken = Sound(spoken.samples[None], spoken.sample_rate)
    clip = still_video(image[0, ..., :3].cpu().numpy(), spoken, frame_rate(fps), name="portrait")
    count = clip.info.frame_count
    return _Scene(
        clip=clip,
        tracks=StillFaces(faces=tracks, frame_count=count, frame_rate=clip.info.frame_rate),
        poses=tuple(still_poses(each, count) for each in poses),
        sound=spoken,
    )
