"""The second stage of THFEM on a stream: the chosen faces of edited frames, drawn again as the speech says."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from fractions import Fraction

import torch

from ..audio.speech import Speech
from ..device import one_cpu_thread
from ..errors import InputError, WeightsError
from ..face.tracking.track import FaceTrack
from ..media.frame import Frame
from ..media.sound import Sound
from ..media.video import Video
from ..pose.encoder import HeadPoses
from ..pose.mesh.encoder import MeshPoseEncoder
from ..progress import Progress, silent
from ..registry import Resources
from .head import Drive, FaceClip, TalkingHead, check_drive, talking_heads
from .scheduler import DrawnFace, DrawTally, draw_faces
from .windows import WindowConfig

GPU_BATCH = 8  # windows per call where a GPU computes them side by side

_log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class LipReport:
    """What a talking head did; complete when all frames are out.

    drive: what moved the lips. tally: counts the frames drawn. sessions: what the back end says of each face, where it
    does: reason for drawing less than asked → frames.
    """

    drive: Drive
    tally: DrawTally = field(default_factory=DrawTally)
    sessions: list[Mapping[str, int]] = field(default_factory=list)

    @property
    def reasons(self) -> dict[str, int]:
        """Over all faces."""
        total: dict[str, int] = {}
        for session in self.sessions:
            for reason, frames in session.items():
                total[reason] = total.get(reason, 0) + frames
        return total


@dataclass(frozen=True, kw_only=True, slots=True)
class Talking:
    """A talking head with all it needs for one clip.

    poses: head poses encoded already; those of other people are read from their meshes. emotion: what the edited faces
    show, if known. report: filled in while frames are drawn.
    """

    head: TalkingHead
    speech: Speech | None
    window: WindowConfig
    report: LipReport
    poses: tuple[HeadPoses, ...] = ()
    emotion: str | None = None


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


def prepare_talking(
    video: Video,
    talking_head: str | TalkingHead | None,
    *,
    drive: Drive = "blend",
    window: WindowConfig | None = None,
    sound: Sound | Speech | None = None,
    poses: Sequence[HeadPoses] = (),
    emotion: str | None = None,
    device: torch.device | None = None,
    required: bool = False,
    progress: Progress = silent,
    warn: Callable[[str], None] | None = None,
) -> Talking | None:
    """A talking head by name, and the speech of ``sound`` or else of the clip itself; None without a talking head.

    device: where it will draw, which decides its precision (fp32 if unknown). progress hears of model files.
    The default one is left out, with a warning, where its model files are missing, unless it is ``required``. Raises
    InputError where the name or the drive is unknown, or the clip lacks what the drive needs; WeightsError.
    """
    warn = warn or _log.warning
    head = talking_head
    if isinstance(head, str):
        try:
            head = talking_heads.create(head, resources=Resources(device=device, progress=progress))
        except WeightsError as error:
            if required or head != talking_heads.names()[0]:
                raise
            warn(f"the lips stay as the edit leaves them: {error}")
            return None
    if head is None:
        return None
    check_drive(drive)
    speech = sound if isinstance(sound, Speech) else None
    if speech is None and drive != "original":
        speech = Speech.from_video(video, warn=warn) if sound is None else Speech.from_sound(sound)
    drive = effective_drive(drive, head.drives, has_speech=speech is not None)
    return Talking(
        head=head,
        speech=speech,
        window=window or WindowConfig(),
        report=LipReport(drive=drive),
        poses=tuple(poses),
        emotion=emotion,
    )


def redraw_faces(
    frames: Generator[Frame, None, None],
    tracks: Sequence[FaceTrack],
    talking: Talking,
    *,
    frame_rate: Fraction,
    device: torch.device,
) -> Generator[Frame, None, None]:
    """Yield edited ``frames`` with the faces of ``tracks`` (found on the unedited clip) drawn by a talking head.

    Faces are opened at once, so that faults show before the first frame is asked for; closing the result closes
    ``frames``. Raises InputError where the back end cannot draw such a clip.
    """
    known = {poses.track.track_id: poses for poses in talking.poses}
    encoder = MeshPoseEncoder()
    faces = []
    for track in tracks:
        clip = FaceClip(
            track=track,
            speech=talking.speech,
            frame_rate=frame_rate,
            device=device,
            drive=talking.report.drive,
            emotion=talking.emotion,
            poses=known.get(track.track_id) or encoder.encode(track),
        )
        faces.append(DrawnFace(track=track, session=talking.head.open_face(clip)))
    return _drawn(frames, faces, talking, device)


def _drawn(
    frames: Generator[Frame, None, None], faces: Sequence[DrawnFace], talking: Talking, device: torch.device
) -> Generator[Frame, None, None]:
    on_cpu, report = device.type == "cpu", talking.report
    drawn = draw_faces(frames, faces, window=talking.window, batch=1 if on_cpu else GPU_BATCH, tally=report.tally)
    with one_cpu_thread() if on_cpu else nullcontext():
        try:
            yield from drawn
        finally:
            drawn.close()
            report.sessions += [face.session.report for face in faces if hasattr(face.session, "report")]
