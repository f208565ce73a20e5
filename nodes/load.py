"""Load Video and Load Audio: files of the host's input folder onto VIDEO and AUDIO sockets."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import folder_paths
from comfy_api.latest import Input, InputImpl, io

from ..thfem_core.errors import InputError, OutputError
from ..thfem_core.media.atomic import complete_file
from ..thfem_core.media.sound import join_sound
from .host import CATEGORY, schema
from .trimmed_video import TrimmedVideo
from .video_sockets import audio_from_sound, file_clip, sound_in_file

DEMO_FILES = {"thfem_demo.mp4": "demo.mp4", "thfem_portrait.jpg": "portrait.jpg"}


def offer_demo_files() -> None:
    """Put what the shipped workflows use into the host's input folder, where it is not there yet."""
    folder = Path(folder_paths.get_input_directory())
    assets = Path(__file__).parents[1] / "thfem_core" / "assets"
    with suppress(OSError, OutputError):  # a read-only input folder is no reason to miss the nodes
        folder.mkdir(parents=True, exist_ok=True)
        for name, asset in DEMO_FILES.items():
            if not (folder / name).exists():
                with complete_file(folder / name) as path:
                    shutil.copyfile(assets / asset, path)


def input_files(*kinds: str) -> list[str]:
    """Names of the files of these kinds ("video", "audio") in the host's input folder."""
    folder = folder_paths.get_input_directory()
    names = [entry.name for entry in os.scandir(folder) if entry.is_file()] if os.path.isdir(folder) else []
    return sorted(folder_paths.filter_files_content_types(names, list(kinds)))


def input_path(name: str) -> Path | None:
    """Where a chosen file lies, or None where there is no such file inside the host's folders."""
    plain, folder = folder_paths.annotated_filepath(name)
    folder = os.path.abspath(folder or folder_paths.get_input_directory())
    path = os.path.abspath(os.path.join(folder, plain))
    inside = path.startswith(folder + os.sep)
    return Path(path) if inside and os.path.isfile(path) else None


def missing_file(name: str) -> str:
    """What to tell a user whose file is not there."""
    return f"{name!r} is not in the input folder {folder_paths.get_input_directory()}; upload it or choose another"


def fingerprint(name: str) -> tuple[str, int, int] | str:
    """Changes when the file does, so that the host loads it anew."""
    path = input_path(name)
    if path is None:
        return name
    state = path.stat()
    return name, state.st_mtime_ns, state.st_size


def window_inputs() -> list[io.Input]:
    """Which part of the file to take."""
    return [
        io.Float.Input(
            "start", default=0.0, min=0.0, max=86400.0, step=0.1, tooltip="Skip this many seconds at the beginning."
        ),
        io.Float.Input(
            "duration",
            default=0.0,
            min=0.0,
            max=86400.0,
            step=0.1,
            tooltip="Take this many seconds; 0 takes everything to the end.",
        ),
    ]


def video_from_file(path: str, start: float, duration: float) -> Input.Video:
    """A file, or ``duration`` seconds of it (0: all the rest) from ``start`` on, as VIDEO."""
    if not start and not duration:
        return InputImpl.VideoFromFile(path)
    if hasattr(InputImpl.VideoFromFile, "get_active_trim_window"):
        return InputImpl.VideoFromFile(path, start_time=start, duration=duration)
    return TrimmedVideo(path, start=start, duration=duration)


class LoadVideo(io.ComfyNode):
    """THFEM_LoadVideo: a file, or a part of it, streamed; frames are decoded only when a later node reads them."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_LoadVideo",
            display_name="Load Video (THFEM)",
            category=f"{CATEGORY}/video",
            description="Load a video, or a part of it, without decoding it into memory.",
            search_aliases=["video input", "import video", "open video", "talking head"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=input_files("video"),
                    upload=io.UploadType.video,
                    tooltip="A video in the input folder; upload or drop one here.",
                ),
                *window_inputs(),
            ],
            outputs=[
                io.Video.Output(display_name="video", tooltip="The clip, read as a stream by the THFEM nodes."),
                io.Audio.Output(display_name="audio", tooltip="Its sound; empty where the clip has none."),
                io.Float.Output(display_name="fps", tooltip="Frames per second."),
                io.Int.Output(display_name="frame_count", tooltip="Number of frames, as the file states it."),
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str) -> bool | str:
        return True if input_path(file) else missing_file(file)

    @classmethod
    def fingerprint_inputs(cls, file: str, start: float, duration: float) -> tuple[Any, ...]:
        return fingerprint(file), start, duration

    @classmethod
    def execute(cls, file: str, start: float, duration: float) -> io.NodeOutput:
        path = input_path(file)
        clip = file_clip(str(path), start, duration)
        count = clip.info.frame_count
        return io.NodeOutput(
            video_from_file(str(path), start, duration),
            audio_from_sound(join_sound(clip.sound_blocks())),
            float(clip.info.frame_rate),
            sum(1 for _ in clip.frames()) if count is None else count,
        )


class LoadAudio(io.ComfyNode):
    """THFEM_LoadAudio: the sound of an audio or video file."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_LoadAudio",
            display_name="Load Audio (THFEM)",
            category=f"{CATEGORY}/video",
            description="Load speech from an audio file, or the sound track of a video, or a part of it.",
            search_aliases=["audio input", "import audio", "open audio", "speech"],
            inputs=[
                io.Combo.Input(
                    "audio",  # the classic front end has its upload button and player for this name only
                    options=input_files("audio", "video"),
                    upload=io.UploadType.audio,
                    tooltip="An audio or video file in the input folder.",
                ),
                *window_inputs(),
            ],
            outputs=[io.Audio.Output(display_name="audio", tooltip="The sound, at its own sample rate.")],
        )

    @classmethod
    def validate_inputs(cls, audio: str) -> bool | str:
        return True if input_path(audio) else missing_file(audio)

    @classmethod
    def fingerprint_inputs(cls, audio: str, start: float, duration: float) -> tuple[Any, ...]:
        return fingerprint(audio), start, duration

    @classmethod
    def execute(cls, audio: str, start: float, duration: float) -> io.NodeOutput:
        sound = sound_in_file(str(input_path(audio)), start, duration)
        if sound is None:
            raise InputError(f"{audio} has no sound that can be read; choose another file")
        return io.NodeOutput(audio_from_sound(sound))
