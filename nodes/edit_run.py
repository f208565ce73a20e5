"""Running an edit as a node: on the host's device, into the host's temp folder, with what was done shown on it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import torch
from comfy_api.latest import io, ui

from ..thfem_core.audio.speech import Speech
from ..thfem_core.expression.request import ExpressionRequest
from ..thfem_core.face.tracking.track import FaceTracks
from ..thfem_core.media.sound import Sound
from ..thfem_core.media.video import Video
from ..thfem_core.pipeline import EditConfig, EditReport, PreparedEdit, edit, kept_faces
from ..thfem_core.pipeline.batch import BatchItem
from ..thfem_core.pose.encoder import HeadPoses
from .edit_parts import EditParts
from .host import HostProgress, model_folders, work_device
from .notices import notify
from .video_sockets import reported_video

_ADVICE = "Look at the preview of Track Faces, and choose a clip in which a face looks towards the camera."

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
    notes: Sequence[str] = (),
) -> PreparedEdit:
    """An edit with the host's device and model folders; see :func:`..thfem_core.pipeline.edit`.

    notes: Warnings that come with its own.
    """
    work = edit(
        clip,
        config,
        device=device or work_device(),
        tracks=tracks,
        sound=sound,
        poses=poses,
        folders=model_folders(),
        keep_faces=True,
        progress=progress,
    )
    work.warnings[:0] = notes
    return work


def edit_progress(clip: Video, tracks: FaceTracks | None, request: ExpressionRequest | None) -> HostProgress:
    """The progress of an edit, whose bar has a part for each clip in which faces are still to be found.

    Args:
        clip: What is edited.
        tracks: Its faces, if a node has found them.
        request: The expression; the face of its reference is looked for, too.
    """
    searched = [clip] if tracks is None else []
    searched += [request.reference.video] if request is not None and request.reference is not None else []
    return HostProgress(stages=1 + sum(kept_faces(each) is None for each in searched))


def edited_video(work: PreparedEdit, *, progress: HostProgress, parts: EditParts | None = None) -> io.NodeOutput:
    """Run an edit, and show the video and what was done on the node; parts of its frames are gathered, if asked for."""
    frames = work.frames() if parts is None else parts.gathered(work.frames())
    frames = progress.shown(frames, before_video=True)
    shown, written = reported_video(frames, work.video, sound=work.sound, progress=progress)
    report = work.report
    report = replace(report, sound=written.sound, warnings=(*report.warnings, *written.warnings))
    told = ui.PreviewText(tell(report, work.video.info.name)).as_dict()
    return io.NodeOutput(*shown.args, ui=shown.ui.as_dict() | told)


def tell(report: EditReport, name: str) -> str:
    """Say what an edit did: in the host's log, as a toast where nothing was edited or something is to be known.

    Args:
        report: What was done.
        name: Of the clip.

    Returns:
        The same as text for the node.
    """
    for warning in report.warnings:
        _log.warning(warning)
    _log.info("%s: %s", name, report.summary)
    if report.nothing_edited:
        notify("warn", "Nothing was edited", f"{name}: {report.summary}. {_ADVICE}")
    elif report.warnings:
        notify("info", "Edited, with a note", "\n".join(report.warnings))
    lines = [f"{report.summary[0].upper()}{report.summary[1:]}"]
    return "\n".join([*lines, *([_ADVICE] if report.nothing_edited else []), *report.warnings])


def log_report(item: BatchItem) -> None:
    """Write what became of a clip of a batch into the host's log."""
    (_log.warning if item.error else _log.info)(item.line)
