"""The second stage of THFEM on a stream: the chosen faces of edited frames, drawn again as the speech says."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
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
from ..progress import Progress, silent
from ..registry import Resources
from .head import Drive, FaceClip, TalkingHead, check_drive, talking_heads
from .report import LipReport
from .scheduler import DrawnFace, draw_faces
from .windows import WindowConfig

GPU_BATCH = 8  # windows per call where a GPU computes them side by side

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Talking:
    """A talking head with all it needs for one clip.

    head: Draws the faces.
    speech: What is said; None for a silent clip.
    window: How the frames are cut into windows.
    report: Filled in while frames are drawn.
    poses: Head poses that are known already.
    emotion: One of the seven that the edited faces show, if known.
    """

    head: TalkingHead
    speech: Speech | None
    window: WindowConfig
    report: LipReport
    poses: tuple[HeadPoses, ...] = ()
    emotion: str | None = None


def effective_drive(drive: Drive, drives: Sequence[Drive], *, has_speech: bool) -> Drive:
    """Decide what moves the lips, from what is wished for and what can be had.

    Args:
        drive: What the user asks for. "blend" is a wish: in silence it becomes "original", and for a talking head that
            cannot blend, that head's own choice.
        drives: What the talking head can do, its own choice first.
        has_speech: Whether there is sound.

    Returns:
        One of ``drives``.

    Raises:
        InputError: What was asked for cannot be had.
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
    """Draw faces of edited frames again, so that their lips say what is heard (paper, Eq. 5).

    Faces are opened at once, so that faults show before the first frame is asked for.

    Args:
        frames: Edited frames.
        tracks: Whom to draw, found on the unedited clip.
        talking: The talking head and the speech; its report is filled in.
        frame_rate: Frames per second.
        device: Where networks run.

    Returns:
        The frames with drawn faces, in order. Closing this iterator closes ``frames``.

    Raises:
        InputError: The talking head cannot draw such a clip.
    """
    known_poses = {poses.track.track_id: poses for poses in talking.poses}
    faces = []
    for track in tracks:
        clip = FaceClip(
            track=track,
            speech=talking.speech,
            frame_rate=frame_rate,
            device=device,
            drive=talking.report.drive,
            emotion=talking.emotion,
            poses=known_poses.get(track.track_id),
        )
        faces.append(DrawnFace(track=track, session=talking.head.open_face(clip)))
    return _drawn(frames, faces, talking, device)


def _drawn(
    frames: Generator[Frame, None, None], faces: Sequence[DrawnFace], talking: Talking, device: torch.device
) -> Generator[Frame, None, None]:
    on_cpu = device.type == "cpu"
    with one_cpu_thread() if on_cpu else nullcontext():
        yield from draw_faces(
            frames, faces, window=talking.window, batch=1 if on_cpu else GPU_BATCH, report=talking.report
        )
