"""One edit of one clip: prepared by :func:`edit`, run by reading the frames of what it returns."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import torch

from ..audio.speech import Speech
from ..errors import InputError
from ..expression.editor import editors
from ..face.tracking.edited_landmarks import EditedLandmarks
from ..face.tracking.track import FaceTrack, FaceTracks
from ..media.frame import Frame
from ..media.prefetch import prefetch
from ..media.sound import Sound
from ..media.video import Video
from ..pose.encoder import HeadPoses
from ..progress import Progress, silent
from ..registry import Resources
from ..talking_head.redraw import PreparedTalkingHead
from .config import EditConfig
from .faces import choose_faces, find_faces, with_reference_face
from .lips import fit_to_clip, prepare_lips
from .report import EditReport, frames_without_faces
from .stages import ExpressionStage, LipStage, Stage
from .still import StillVideo


class Edit:
    """An edit that is ready to run: all is loaded, and faces are found."""

    def __init__(
        self,
        video: Video,
        stages: Sequence[Stage],
        *,
        sound: Sound | None = None,
        tracks: FaceTracks | None = None,
        chosen: Sequence[FaceTrack] = (),
        lips: PreparedTalkingHead | None = None,
        warnings: Sequence[str] = (),
        tracking_seconds: float = 0.0,
    ) -> None:
        """Take over what :func:`edit` has prepared.

        Args:
            video: The source.
            stages: What its frames pass through, in order.
            sound: What is heard in place of the clip's own sound, if anything.
            tracks: Everybody in the clip; None if nobody looked.
            chosen: The faces that are edited.
            lips: The talking head among the stages, if any.
            warnings: One line each, for the user.
            tracking_seconds: How long the search for faces took.
        """
        self.video, self.sound, self.tracks, self.chosen = video, sound, tracks, tuple(chosen)
        self.warnings = list(warnings)
        self._stages, self._lips = tuple(stages), lips
        self._seconds = {"tracking": tracking_seconds, "editing": 0.0}
        self._count = 0

    def frames(self) -> Generator[Frame, None, None]:
        """Run the edit.

        Decoding and every stage run in threads of their own (PyAV, OpenCV and torch release the interpreter lock),
        joined by short queues, so that memory does not grow with the length of the clip. Closing the iterator ends
        the threads and frees the clip.

        Yields:
            Every frame of the clip in order, the chosen faces edited, all else as it was.

        Raises:
            InputError: The tracks were made on another number of frames, or a stage cannot edit such a clip.
        """
        start, self._count = time.perf_counter(), 0
        try:
            with ExitStack() as stack:
                frames = stack.enter_context(closing(prefetch(self.video.frames(warn=self.warnings.append))))
                for stage in self._stages:
                    frames = stack.enter_context(closing(prefetch(stage(frames))))
                for frame in frames:
                    if self.tracks is not None and self._count == self.tracks.frame_count:
                        raise _other_length(self.tracks.frame_count, "more")
                    self._count += 1
                    yield frame
            if self.tracks is not None and self._count < self.tracks.frame_count:
                raise _other_length(self.tracks.frame_count, f"only {self._count}")
        finally:
            self._seconds["editing"] = time.perf_counter() - start

    @property
    def report(self) -> EditReport:
        """What was done; complete when all frames are out."""
        # frames that another system edited are never the source's
        from_source = all(stage.needs_faces for stage in self._stages)
        passed = frames_without_faces(self.tracks, self.chosen) if self.tracks is not None and from_source else {}
        return EditReport(
            frames=self._count,
            passed_through=passed,
            faces=None if self.tracks is None else len(self.chosen),
            lips=None if self._lips is None else self._lips.report,
            warnings=tuple(self.warnings),
            seconds=dict(self._seconds),
        )


def edit(
    video: Video,
    config: EditConfig | None = None,
    *,
    device: torch.device,
    tracks: FaceTracks | None = None,
    sound: Sound | Speech | None = None,
    poses: Sequence[HeadPoses] = (),
    folders: Sequence[Path] = (),
    progress: Progress = silent,
) -> Edit:
    """Prepare an edit: check and load everything, then look for faces.

    Args:
        video: The clip. A :class:`.still.StillVideo` is a portrait that speaks: all its frames are drawn from the
            picture.
        config: What to do; None for the defaults, which draw lips and leave the expression.
        device: Where networks run.
        tracks: Faces of the unedited clip (of the picture, for a still video), which spares the search.
        sound: What moves the lips in place of the clip's own sound. A Sound is also heard in the result, cut to the
            clip; with the drive ``audio`` somebody must be there to speak it.
        poses: Head poses that are known already; those of other people are read from their tracks.
        folders: Where model files are searched before the usual folders.
        progress: Hears of model files and of the search for faces; whoever reads the frames reports those.

    Returns:
        The edit, ready to run.

    Raises:
        InputError: The clip, the sound or the choice of faces does not fit the config.
        WeightsError: Model files are missing or unusable.
    """
    config = config or EditConfig()
    warnings: list[str] = []
    resources = Resources(device=device, folders=tuple(folders), progress=progress)

    # all that can be wrong or missing is found before the first pass over a clip
    must_speak = isinstance(video, StillVideo) or (isinstance(sound, Sound) and config.drive == "audio")
    if isinstance(sound, Sound):
        sound = fit_to_clip(sound, video, warn=warnings.append)
    editor = config.editor if config.request is not None else None
    if isinstance(editor, str):
        editor = editors.create(editor, config.editor_options, resources)
    lips = prepare_lips(
        video, config, editor=editor, sound=sound, poses=poses, resources=resources, warn=warnings.append
    )
    if tracks is not None:
        _check_size(tracks, video)

    start = time.perf_counter()
    request = with_reference_face(config.request, device=device, progress=progress)
    if tracks is None and (lips is not None or (editor is not None and editor.needs_faces)):
        tracks = find_faces(video.picture if isinstance(video, StillVideo) else video, device=device, progress=progress)
    if tracks is not None and isinstance(video, StillVideo):
        tracks = video.stretch_faces(tracks)
    chosen: tuple[FaceTrack, ...] = ()
    if tracks is not None and must_speak:
        chosen = tracks.select(config.face, order=config.face_order)
    elif tracks is not None:
        chosen = choose_faces(tracks, config.face, config.face_order)
    seconds = time.perf_counter() - start

    stages: list[Stage] = []
    rate = video.info.frame_rate
    edited = EditedLandmarks() if lips is not None else None
    if editor is not None and request is not None:
        stages.append(
            ExpressionStage(
                editor=editor, request=request, tracks=chosen, frame_rate=rate, device=device, edited=edited
            )
        )
    if lips is not None and chosen:
        stages.append(LipStage(prepared=lips, tracks=chosen, frame_rate=rate, device=device, edited=edited))
    return Edit(
        video,
        stages,
        sound=sound if isinstance(sound, Sound) else None,
        tracks=tracks,
        chosen=chosen,
        lips=lips,
        warnings=warnings,
        tracking_seconds=seconds,
    )


def _check_size(tracks: FaceTracks, video: Video) -> None:
    """Refuse tracks that were made on a clip of another size."""
    size, info = tracks.size, video.info
    if size != (info.width, info.height):
        raise InputError(
            f"the tracks were made on a clip of {size[0]}×{size[1]} px, but {info.name} has {info.width}×{info.height};"
            " connect Track Faces to the same clip"
        )


def _other_length(expected: int, found: str) -> InputError:
    """The error for tracks that were made on another number of frames."""
    return InputError(
        f"the tracks were made on {expected} frames, but this clip has {found}; connect Track Faces to the same clip"
    )
