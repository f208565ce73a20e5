"""An edit, written to a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import torch

from ..face.tracking.track import FaceTracks
from ..media.open_video import open_video
from ..media.sound import Sound
from ..media.video import Video
from ..media.writer import check_video_output, write_video
from ..progress import Progress, silent
from .config import EditConfig
from .edit import edit
from .report import EditReport


def edit_to_file(
    source: Video | str | os.PathLike[str],
    output: str | os.PathLike[str],
    config: EditConfig | None = None,
    *,
    device: torch.device,
    tracks: FaceTracks | None = None,
    sound: Sound | None = None,
    folders: Sequence[Path] = (),
    progress: Progress = silent,
) -> EditReport:
    """Edit a clip into a file: the same frames, times, size and sound.

    The file appears only when it is complete; whatever happens before, nothing is left behind.

    Args:
        source: The clip, or its path.
        output: Path of the video to write; its ending chooses the container.
        config: What to do; None for the defaults.
        device: Where networks run.
        tracks: Faces of the unedited clip, see :func:`.edit.edit`.
        sound: Moves the lips and is heard in place of the clip's own sound.
        folders: Where model files are searched before the usual folders.
        progress: Hears of model files and every frame.

    Returns:
        What was done.

    Raises:
        InputError: See :func:`.edit.edit`.
        OutputError: The file cannot be written.
        WeightsError: Model files are missing or unusable.
    """
    config = config or EditConfig()
    check_video_output(output)  # a bad output name should not cost a search for faces
    video = open_video(source) if isinstance(source, (str, os.PathLike)) else source
    work = edit(video, config, device=device, tracks=tracks, sound=sound, folders=folders, progress=progress)
    with closing(work.frames()) as frames:
        written = write_video(
            frames, output, like=video, sound=work.sound or "source", encoding=config.encoding, progress=progress
        )
    report = work.report
    return replace(report, output=Path(output), sound=written.sound, warnings=(*report.warnings, *written.warnings))
