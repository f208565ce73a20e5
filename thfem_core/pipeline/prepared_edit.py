"""An edit that is ready to run."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing

from ..errors import InputError
from ..face.occlusion.clip import ClipOcclusion
from ..media.frame import Frame
from ..media.prefetch import prefetch
from ..media.sound import Sound
from ..media.video import Video
from ..talking_head.redraw import PreparedTalkingHead
from .faces import ChosenFaces
from .report import EditReport, frames_without_faces
from .stages import Stage

AHEAD = 2  # frames that may wait between two stages; each takes memory


class PreparedEdit:
    """An edit that is ready to run: all is loaded, and faces are found.

    warnings: One line each, for the user; more may come while frames are read.
    """

    def __init__(
        self,
        video: Video,
        stages: Sequence[Stage],
        *,
        faces: ChosenFaces,
        sound: Sound | None = None,
        lips: PreparedTalkingHead | None = None,
        occlusion: ClipOcclusion | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        """Take over what :func:`.edit.edit` has prepared.

        Args:
            video: The source.
            stages: What its frames pass through, in order.
            faces: The faces that are edited.
            sound: What is heard in place of the clip's own sound, if anything.
            lips: The talking head among the stages, if any.
            occlusion: What the stages know of things in front of faces, if anybody looks.
            warnings: One line each, for the user.
        """
        self.video, self.sound, self.faces = video, sound, faces
        self.warnings = list(warnings)
        self._stages, self._lips = tuple(stages), lips
        self._count, self._seconds = 0, 0.0
        self._occlusion = occlusion

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
        tracks = self.faces.tracks
        try:
            with ExitStack() as stack:
                frames = stack.enter_context(
                    closing(prefetch(self.video.frames(warn=self.warnings.append), depth=AHEAD))
                )
                for stage in self._stages:
                    frames = stack.enter_context(closing(prefetch(stage(frames), depth=AHEAD)))
                for frame in frames:
                    if tracks is not None and self._count == tracks.frame_count:
                        raise _other_length(tracks.frame_count, "more")
                    self._count += 1
                    yield frame
            if tracks is not None and self._count < tracks.frame_count:
                raise _other_length(tracks.frame_count, f"only {self._count}")
        finally:
            self._seconds = time.perf_counter() - start

    @property
    def report(self) -> EditReport:
        """What was done; complete when all frames are out."""
        # frames that another system edited are never the source's
        from_source = all(stage.needs_faces for stage in self._stages)
        tracks, chosen = self.faces.tracks, self.faces.chosen
        return EditReport(
            frames=self._count,
            passed_through=frames_without_faces(tracks, chosen) if tracks is not None and from_source else {},
            faces=None if tracks is None else len(chosen),
            lips=None if self._lips is None else self._lips.report,
            lips_by_editor=any(getattr(stage, "draws_lips", False) for stage in self._stages),
            occlusion=None if self._occlusion is None else self._occlusion.report,
            warnings=tuple(self.warnings),
            seconds={"tracking": self.faces.seconds, "editing": self._seconds},
        )


def _other_length(expected: int, found: str) -> InputError:
    """The error for tracks that were made on another number of frames."""
    return InputError(
        f"the tracks were made on {expected} frames, but this clip has {found}; connect Track Faces to the same clip"
    )
