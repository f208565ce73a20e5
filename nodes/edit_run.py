"""Running an edit as a node: on the host's device, into the host's temp folder, with what was done shown on it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from comfy_api.latest import io, ui

from ..thfem_core.audio.speech import Speech
from ..thfem_core.face.tracking.track import FaceTracks
from ..thfem_core.media.sound import Sound
from ..thfem_core.media.video import Video
from ..thfem_core.pipeline import EditConfig, PreparedEdit, edit
from ..thfem_core.pose.encoder import HeadPoses
from .host import HostProgress, model_folders, work_device
from .video_sockets import written_video

_log = logging.getLogger(__name__)


def prepared_edit(
    clip: Video,
    config: EditConfig,
    *,
    progress: HostProgress,
    tracks: FaceTracks | None = None,
    sound: Sound | Speech | None = None,
    poses: Sequence[HeadPoses] = (),
    device: torch.device | None = None,
) -> PreparedEdit:
    """An edit with the host's device and model folders; see :func:`..thfem_core.pipeline.edit`."""
    return edit(
        clip,
        config,
        device=device or work_device(),
        tracks=tracks,
        sound=sound,
        poses=poses,
        folders=model_folders(),
        progress=progress,
    )


def edited_video(work: PreparedEdit, *, progress: HostProgress) -> io.NodeOutput:
    """Run an edit, and show the video and what was done on the node."""
    shown = written_video(work.frames(), work.video, sound=work.sound, progress=progress)
    told = ui.PreviewText(tell(work)).as_dict()
    return io.NodeOutput(*shown.args, ui=shown.ui.as_dict() | told)


def tell(work: PreparedEdit) -> str:
    """Write warnings and what was done into the host's log; returns the latter."""
    report = work.report
    for warning in report.warnings:
        _log.warning(warning)
    _log.info("%s: %s", work.video.info.name, report.summary)
    return report.summary
