"""Save Video: into the output folder, with the workflow inside and the mark of synthetic media kept."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any, TypeGuard

import comfy.cli_args
import folder_paths
import torch
from comfy_api.latest import Input, InputImpl, io, ui

from ..thfem_core.errors import OutputError
from ..thfem_core.media.atomic import complete_file
from ..thfem_core.media.encoding import EncodingConfig
from ..thfem_core.media.writer import write_video
from .host import CATEGORY, HostProgress, new_temp_file, schema
from .notices import notify
from .video_sockets import clip_with_audio, fps_input, sound_from_audio, trim_window

_log = logging.getLogger(__name__)

KEEP = -1  # crf that means: do not encode again


class SaveVideo(io.ComfyNode):
    """THFEM_SaveVideo: a finished video is copied as it is; images are encoded."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_SaveVideo",
            display_name="Save Video (THFEM)",
            category=f"{CATEGORY}/video",
            description="Save an edited video into the output folder. What this pack encodes is marked as synthetic "
            "media in its metadata; the workflow is stored with it.",
            search_aliases=["export video", "write video", "video output", "mp4"],
            inputs=[
                io.MultiType.Input(
                    "video", [io.Video, io.Image], tooltip="The video to save, or a batch of images to encode."
                ),
                io.String.Input(
                    "filename_prefix",
                    default="THFEM/edited",
                    tooltip="Start of the file name inside the output folder; %date:yyyy-MM-dd% and subfolders work.",
                ),
                io.Combo.Input(
                    "container",
                    options=["mp4", "mov", "mkv"],
                    default="mp4",
                    tooltip="The file type. mp4 plays everywhere, and in this preview.",
                ),
                io.Int.Input(
                    "crf",
                    default=KEEP,
                    min=KEEP,
                    max=51,
                    tooltip="−1 keeps the video as it is, without loss. 0 to 51 encodes it again: 18 is very good, "
                    "higher is smaller and worse. Images are encoded at 18 where this is −1.",
                ),
                fps_input(),
                io.Audio.Input(
                    "audio", optional=True, tooltip="Sound for a batch of images, or in place of the video's own."
                ),
            ],
            outputs=[],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        video: Input.Video | torch.Tensor,
        filename_prefix: str,
        container: str,
        crf: int,
        fps: float,
        audio: Input.Audio | None = None,
    ) -> io.NodeOutput:
        clip, _, notes = clip_with_audio(video, audio, fps=fps)
        for note in notes:
            _log.warning(note)
            notify("warn", "Pictures and sound differ in length", note)
        folder, name, counter, subfolder, _ = output_place(filename_prefix, clip.info.width, clip.info.height)
        file = f"{name}_{counter:05}_.{container}"
        metadata = workflow_metadata(cls.hidden)
        with complete_file(Path(folder, file)) as path:
            if crf == KEEP and audio is None and can_copy(video):
                video.save_to(str(path), metadata=metadata)
            else:
                encoding = EncodingConfig() if crf == KEEP else EncodingConfig(crf=crf)
                with new_temp_file("thfem_save", ".mp4") as encoded:
                    write_video(
                        clip.frames(),
                        encoded,
                        like=clip,
                        sound="source" if audio is None else sound_from_audio(audio),
                        encoding=encoding,
                        progress=HostProgress(),
                        warn=_log.warning,
                    )
                    InputImpl.VideoFromFile(str(encoded)).save_to(str(path), metadata=metadata)
                    encoded.unlink()
        return io.NodeOutput(ui=ui.PreviewVideo([ui.SavedResult(file, subfolder, io.FolderType.output)]))


def can_copy(video: Input.Video | torch.Tensor) -> TypeGuard[Input.Video]:
    """Whether the host can save the encoded streams as they are: a whole file, of the mp4 family.

    From other containers it drops the packets that have no decoding time stamp, the first key frame among them.
    """
    if not isinstance(video, InputImpl.VideoFromFile) or trim_window(video) != (0.0, 0.0):
        return False
    return "mp4" in video.get_container_format().split(",")


def output_place(prefix: str, width: int, height: int) -> tuple[str, str, int, str, str]:
    """Ask the host where a new file goes.

    Args:
        prefix: Start of the file name, with folders.
        width: Of the video, in pixels, which the prefix may mention.
        height: The same.

    Returns:
        Folder, name, number, folder below the output folder, and the prefix as the host reads it.

    Raises:
        OutputError: The prefix leaves the output folder.
    """
    output = folder_paths.get_output_directory()
    target = os.path.abspath(os.path.join(output, os.path.normpath(prefix)))
    if not target.startswith(os.path.abspath(output) + os.sep):
        raise OutputError(f"filename_prefix {prefix!r} leaves the output folder; give a name inside it")
    return folder_paths.get_save_image_path(prefix, output, width, height)


def workflow_metadata(hidden: Any) -> dict[str, str] | None:
    """Prompt and workflow as the host's front end reads them back from a dropped file."""
    if comfy.cli_args.args.disable_metadata:
        return None
    found = dict(hidden.extra_pnginfo or {})
    if hidden.prompt is not None:
        found["prompt"] = hidden.prompt
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in found.items()}
