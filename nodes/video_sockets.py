"""The host's VIDEO, IMAGE and AUDIO sockets as clips and sound of thfem_core, and back.

Convention: IMAGE is float32 (T, H, W, C) in 0..1; AUDIO is ``{"waveform": (B, C, N) float32, "sample_rate": int}`` or
None. VIDEO stays a stream: only a clip that was built from images is in memory already.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator
from contextlib import closing
from fractions import Fraction
from io import BytesIO

import torch
from comfy_api.latest import Input, InputImpl, io, ui

from ..thfem_core.errors import InputError
from ..thfem_core.media.array_frame import ArrayFrame
from ..thfem_core.media.array_video import ArrayVideo
from ..thfem_core.media.file_video import FileVideo
from ..thfem_core.media.frame import Frame
from ..thfem_core.media.sound import Sound
from ..thfem_core.media.sound_file import read_sound
from ..thfem_core.media.video import Video
from ..thfem_core.media.writer import WriteReport, write_video
from ..thfem_core.progress import Progress
from .host import advanced, is_temporary, new_temp_file

_log = logging.getLogger(__name__)


def fps_input(*, optional: bool = False) -> io.Input:
    """The rate of a batch of images, which have none of their own."""
    (rate,) = advanced(_fps_input(optional=optional))
    return rate


def _fps_input(*, optional: bool) -> io.Input:
    return io.Float.Input(
        "fps",
        optional=optional,
        default=25.0,
        min=1.0,
        max=240.0,
        step=0.001,
        tooltip="Frames per second of a batch of images; a video brings its own.",
    )


def frame_rate(fps: float) -> Fraction:
    """The rate a person means: 29.97 is 30000/1001."""
    for rate in (24000, 30000, 60000, 120000):
        if abs(fps - rate / 1001) < 0.005:
            return Fraction(rate, 1001)
    return Fraction(fps).limit_denominator(1000)


def clip_from_socket(socket: Input.Video | torch.Tensor, *, fps: float = 25.0) -> Video:
    """A VIDEO (its trim window honoured) or an IMAGE batch at ``fps`` as a clip."""
    if isinstance(socket, torch.Tensor):
        return ArrayVideo(socket, frame_rate(fps))
    if isinstance(socket, InputImpl.VideoFromComponents):
        parts = socket.get_components()
        return ArrayVideo(parts.images, Fraction(parts.frame_rate), sound=sound_from_audio(parts.audio))
    source = socket.get_stream_source()
    if isinstance(source, str) and not os.path.isfile(source) and is_temporary(source):
        raise InputError(
            f"{os.path.basename(source)} is no longer in ComfyUI's temp folder; run the edit again: choose Unload "
            "Models and Execution Cache, or change an input of the node that made it"
        )
    return file_clip(source, *trim_window(socket))


def clip_with_audio(
    socket: Input.Video | torch.Tensor, audio: Input.Audio | None, *, fps: float
) -> tuple[Video, Sound | None, list[str]]:
    """Join a VIDEO or IMAGE with an AUDIO.

    Args:
        socket: The pictures.
        audio: The sound of an IMAGE; for a VIDEO, what is heard in place of its own.
        fps: Frames per second of an IMAGE.

    Returns:
        The clip, the sound that replaces its own, and a line for the user where an IMAGE and its sound differ in
        length by more than two frames.
    """
    sound = sound_from_audio(audio)
    if not isinstance(socket, torch.Tensor):
        return clip_from_socket(socket), sound, []
    rate, notes = frame_rate(fps), list[str]()
    if sound is not None and abs(sound.duration * rate - len(socket)) > 2:
        fitting = float(len(socket) / sound.duration)
        notes.append(
            f"the images last {float(len(socket) / rate):.2f} s at {float(rate):g} frames per second and the sound "
            f"{float(sound.duration):.2f} s; set fps to {fitting:.3f} if they belong together"
        )
    return ArrayVideo(socket, rate, sound=sound), None, notes


def file_clip(source: str | BytesIO, start: float, duration: float) -> FileVideo:
    """A file, or ``duration`` seconds of it (0: all the rest) from ``start`` on."""
    return FileVideo(source, start=_seconds(start), duration=_seconds(duration) or None)


def sound_in_file(path: str, start: float, duration: float) -> Sound | None:
    """The sound of an audio or video file, or of a part of it; None where it has none."""
    return read_sound(path, start=_seconds(start), duration=_seconds(duration) or None)


def _seconds(value: float) -> Fraction:
    return Fraction(value).limit_denominator(1_000_000)


def trim_window(video: Input.Video) -> tuple[float, float]:
    """(start, duration) in seconds; duration 0 is to the end. Hosts before 0.9 have no trimmed videos."""
    window = getattr(video, "get_active_trim_window", None)
    return window() if window else (0.0, 0.0)


def sound_from_audio(audio: Input.Audio | None) -> Sound | None:
    """AUDIO as sound; None stays None."""
    if audio is None:
        return None
    return Sound(audio["waveform"][0].float().cpu().numpy(), int(audio["sample_rate"]))


def audio_from_sound(sound: Sound | None) -> Input.Audio | None:
    """Sound as AUDIO; None stays None."""
    if sound is None:
        return None
    return {"waveform": torch.from_numpy(sound.samples)[None], "sample_rate": sound.sample_rate}


def images_from_frames(frames: Generator[Frame, None, None], *, like: torch.Tensor, progress: Progress) -> torch.Tensor:
    """Frames as an IMAGE batch of the shape of ``like``; extra channels are copied from it."""
    images = like.clone()
    with closing(frames):
        for number, frame in enumerate(frames):
            assert isinstance(frame, ArrayFrame)  # no stage changes the kind of a frame
            images[number, ..., :3] = torch.from_numpy(frame.pixels)
            progress("Editing", number + 1, len(images))
    return images


def written_video(
    frames: Generator[Frame, None, None], like: Video, *, sound: Sound | None = None, progress: Progress
) -> io.NodeOutput:
    """Write frames into the host's temp folder; the VIDEO of that file, shown on the node. sound: other than the clip's
    own."""
    return reported_video(frames, like, sound=sound, progress=progress)[0]


def reported_video(
    frames: Generator[Frame, None, None], like: Video, *, sound: Sound | None = None, progress: Progress
) -> tuple[io.NodeOutput, WriteReport]:
    """Do :func:`written_video`, and say how."""
    with new_temp_file("thfem", ".mp4") as path:
        report = write_video(frames, path, like=like, sound=sound or "source", progress=progress, warn=_log.warning)
        shown = ui.PreviewVideo([ui.SavedResult(path.name, "", io.FolderType.temp)])
        return io.NodeOutput(InputImpl.VideoFromFile(str(path)), ui=shown), report
