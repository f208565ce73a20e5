"""The second stage of THFEM on a stream: the chosen faces of edited frames, drawn again as the speech says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from fractions import Fraction

import torch

from ..audio.speech import Speech
from ..device import one_cpu_thread
from ..errors import InputError
from ..face.track import FaceTrack
from ..media.frame import Frame
from .head import Drive, FaceClip, TalkingHead, check_drive
from .scheduler import DrawnFace, DrawTally, draw_faces
from .windows import WindowConfig

GPU_BATCH = 8  # windows per call where a GPU computes them side by side


@dataclass(kw_only=True, slots=True)
class RedrawReport:
    """What a talking head did, complete when all frames are out.

    drive: what moved the lips. tally: counts the frames drawn. reports: what the sessions say of themselves, where
    they do: reason → frames.
    """

    drive: Drive | None = None
    tally: DrawTally = field(default_factory=DrawTally)
    reports: list[Mapping[str, int]] = field(default_factory=list)

    @property
    def reasons(self) -> dict[str, int]:
        """The sessions' reasons for drawing less than asked → frames, over all faces."""
        total: dict[str, int] = {}
        for report in self.reports:
            for reason, frames in report.items():
                total[reason] = total.get(reason, 0) + frames
        return total


def effective_drive(drive: Drive, drives: Sequence[Drive], *, has_speech: bool) -> Drive:
    """What can move the lips of a clip with or without sound, by a talking head that knows ``drives``.

    "blend" is a wish: it becomes "original" in silence, and the head's own way where that is the only one. Raises
    InputError where anything else cannot be had.
    """
    check_drive(drive)
    if drive == "blend" and not has_speech and "original" in drives:
        return "original"
    if drive == "blend" and drive not in drives:
        drive = drives[0]
    if drive not in drives:
        raise InputError(f"this talking head cannot be driven by {drive!r}; choose one of: {', '.join(drives)}")
    if drive == "audio" and not has_speech:
        raise InputError("there is no sound to move the lips; give a clip with sound, or choose the drive original")
    return drive


def redraw_faces(
    frames: Iterable[Frame],
    tracks: Sequence[FaceTrack],
    *,
    head: TalkingHead,
    speech: Speech | None,
    frame_rate: Fraction,
    device: torch.device,
    drive: Drive = "blend",
    window: WindowConfig | None = None,
    report: RedrawReport | None = None,
) -> Iterator[Frame]:
    """Yield edited ``frames`` with the faces of ``tracks`` (found on the unedited clip) drawn again by ``head``.

    Faces are opened at once, so that faults show before the first frame is asked for; closing the result closes
    ``frames``. Raises InputError as :func:`effective_drive` does.
    """
    report = report or RedrawReport()
    report.drive = effective_drive(drive, head.drives, has_speech=speech is not None)
    faces = [
        DrawnFace(
            track=track,
            session=head.open_face(
                FaceClip(track=track, speech=speech, frame_rate=frame_rate, device=device, drive=report.drive)
            ),
        )
        for track in tracks
    ]
    batch = 1 if device.type == "cpu" else GPU_BATCH
    return _drawn(draw_faces(frames, faces, window=window, batch=batch, tally=report.tally), faces, device, report)


def _drawn(
    frames: Iterator[Frame], faces: Sequence[DrawnFace], device: torch.device, report: RedrawReport
) -> Iterator[Frame]:
    with one_cpu_thread() if device.type == "cpu" else nullcontext():
        try:
            yield from frames
        finally:
            frames.close()
            report.reports += [face.session.report for face in faces if hasattr(face.session, "report")]
