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
from ..errors import InputError
from ..face.occlusion.clip import ClipOcclusion
from ..face.tracking.edited_landmarks import EditedLandmarks
from ..face.tracking.track import FaceTrack
from ..media.frame import Frame
from ..media.sound import Sound
from ..media.video import Video
from ..pose.encoder import HeadPoses
from .head import Drive, FaceClip, FaceSession, TalkingHead, check_drive
from .report import LipReport
from .scheduler import DrawnFace, draw_faces
from .windows import WindowConfig

GPU_BATCH = 8  # windows per call where a GPU computes them side by side

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedTalkingHead:
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

    def open_face(
        self, track: FaceTrack, *, frame_rate: Fraction, device: torch.device, edited: EditedLandmarks | None
    ) -> FaceSession:
        """Begin with one person of the clip.

        Args:
            track: Whom to draw.
            frame_rate: Frames per second.
            device: Where networks run.
            edited: Landmarks of the edited faces, as far as an editor knows them.

        Returns:
            The talking head's session.

        Raises:
            InputError: The talking head cannot draw such a clip.
        """
        clip = FaceClip(
            track=track,
            speech=self.speech,
            frame_rate=frame_rate,
            device=device,
            drive=self.report.drive,
            emotion=self.emotion,
            poses=next((poses for poses in self.poses if poses.track.track_id == track.track_id), None),
            edited=edited,
        )
        return self.head.open_face(clip)


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


def prepare_talking_head(
    video: Video,
    head: TalkingHead,
    *,
    drive: Drive = "blend",
    window: WindowConfig | None = None,
    sound: Sound | Speech | None = None,
    poses: Sequence[HeadPoses] = (),
    emotion: str | None = None,
    warn: Callable[[str], None] = _log.warning,
) -> PreparedTalkingHead:
    """Give a talking head what it needs for one clip; its sound is read, if the drive needs it.

    Args:
        video: The clip.
        head: The talking head.
        drive: What shall move the lips, see :func:`effective_drive`.
        window: How the frames are cut into windows; None for the paper's choice.
        sound: What is said; None takes the clip's own sound.
        poses: Head poses that are known already.
        emotion: One of the seven that the edited faces show, if known.
        warn: Hears one line where the clip has a sound that cannot be used.

    Returns:
        The talking head, ready for :func:`redraw_faces`.

    Raises:
        InputError: The drive is unknown, or the clip or the talking head lacks what it needs.
    """
    check_drive(drive)
    speech = None
    if isinstance(sound, Speech):
        speech = sound
    elif drive != "original":
        speech = Speech.from_video(video, warn=warn) if sound is None else Speech.from_sound(sound)
    drive = effective_drive(drive, head.drives, has_speech=speech is not None)
    return PreparedTalkingHead(
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
    prepared: PreparedTalkingHead,
    *,
    frame_rate: Fraction,
    device: torch.device,
    edited: EditedLandmarks | None = None,
    occlusion: ClipOcclusion | None = None,
) -> Generator[Frame, None, None]:
    """Draw faces of edited frames again, so that their lips say what is heard (paper, Eq. 5).

    Faces are opened at once, so that faults show before the first frame is asked for.

    Args:
        frames: Edited frames.
        tracks: Whom to draw, found on the unedited clip.
        prepared: The talking head and the speech; its report is filled in.
        frame_rate: Frames per second.
        device: Where networks run.
        edited: Landmarks of the edited faces, as far as an editor knows them.
        occlusion: What is in front of the faces; None if nobody looks.

    Returns:
        The frames with drawn faces, in order. Closing this iterator closes ``frames``.

    Raises:
        InputError: The talking head cannot draw such a clip.
    """
    faces = [
        DrawnFace(
            track=track,
            session=prepared.open_face(track, frame_rate=frame_rate, device=device, edited=edited),
        )
        for track in tracks
    ]
    return _drawn(frames, faces, prepared, device, occlusion)


def _drawn(
    frames: Generator[Frame, None, None],
    faces: Sequence[DrawnFace],
    prepared: PreparedTalkingHead,
    device: torch.device,
    occlusion: ClipOcclusion | None,
) -> Generator[Frame, None, None]:
    on_cpu = device.type == "cpu"
    with one_cpu_thread() if on_cpu else nullcontext():
        yield from draw_faces(
            frames,
            faces,
            window=prepared.window,
            batch=1 if on_cpu else GPU_BATCH,
            report=prepared.report,
            occlusion=occlusion,
        )
