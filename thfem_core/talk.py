"""A still portrait, or a clip, that says what is heard in a sound file."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction

import torch

from .errors import InputError
from .expression.request import ExpressionRequest
from .face.tracking.track import FaceChoice, FaceOrder
from .media.encoding import EncodingConfig
from .media.open_video import open_video
from .media.sound import Sound
from .media.sound_file import read_sound
from .media.source import MediaSource, source_name
from .media.video import Video
from .media.writer import check_video_output
from .pipeline import EditReport, edit_clip, find_faces
from .progress import Progress, silent
from .registry import Resources
from .talking_head.head import TalkingHead, talking_heads
from .talking_head.still import StillFaces, still_video
from .talking_head.windows import WindowConfig


def read_spoken(source: MediaSource, *, warnings: list[str]) -> Sound:
    """The sound of a sound or video file. Raises InputError where there is none."""
    sound = read_sound(source, warn=warnings.append)
    if sound is None:
        raise InputError(f"{source_name(source)} has no sound that can be read; give a file with speech")
    return sound


def cut_to(sound: Sound, video: Video, *, name: str, warnings: list[str]) -> Sound:
    """As much of the sound as fits the clip, with a line in ``warnings`` where they differ by more than two frames."""
    length, rate = video.info.duration, video.info.frame_rate
    if length is None:
        return sound
    if abs(sound.duration - length) * rate > 2:
        fate = "its end is cut off" if sound.duration > length else "the rest is silent"
        warnings.append(f"{name} lasts {float(sound.duration):.1f} s and the clip {float(length):.1f} s; {fate}")
    return Sound(sound.samples[:, : round(length * sound.sample_rate)], sound.sample_rate)


def talk_file(
    source: str | os.PathLike[str],
    sound: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    device: torch.device,
    request: ExpressionRequest | None = None,
    frame_rate: Fraction = Fraction(25),
    face: FaceChoice = "largest",
    order: FaceOrder = "left-right",
    talking_head: str | TalkingHead = "mouth",
    window: WindowConfig | None = None,
    encoding: EncodingConfig | None = None,
    progress: Progress = silent,
) -> EditReport:
    """Make a portrait speak for as long as the sound lasts, or a clip speak another sound for its own length.

    request: an expression to give besides. frame_rate: of the video made from a picture, whose every copy is drawn
    from the picture itself. Raises InputError (no face, no sound, not a picture), OutputError or WeightsError.
    """
    check_video_output(output)
    if isinstance(talking_head, str):
        talking_head = talking_heads.create(talking_head, resources=Resources(device=device, progress=progress))
    warnings: list[str] = []
    spoken = read_spoken(sound, warnings=warnings)
    video, tracks = open_video(source, frame_rate=frame_rate), None
    if video.info.is_still:
        picture = next(iter(video.frames())).rgb()
        found = find_faces(video, device=device, progress=progress)
        video = still_video(picture, spoken, frame_rate, name=video.info.name)
        tracks = StillFaces(faces=found, frame_count=video.info.frame_count, frame_rate=frame_rate)
        window = replace(window or WindowConfig(), source="opening")
    else:
        spoken = cut_to(spoken, video, name=source_name(sound), warnings=warnings)
        tracks = find_faces(video, device=device, progress=progress)
    tracks.select(face, order=order)  # nobody to speak is a fault here, and not a clip to pass through
    report = edit_clip(
        video,
        output,
        request,
        device=device,
        face=face,
        order=order,
        tracks=tracks,
        talking_head=talking_head,
        drive="audio",
        window=window,
        sound=spoken,
        encoding=encoding,
        progress=progress,
    )
    return replace(report, warnings=(*warnings, *report.warnings))
