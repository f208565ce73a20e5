"""The editor ``liveportrait``, loaded."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import closing
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor, nn

from ...errors import InputError
from ...face.tracking.track import FaceTrack
from ...media.frame import Frame
from ...networks.liveportrait.corrections import Corrections, corrected
from ...networks.liveportrait.drawing import GPU_BATCH, FaceDrawer, working_memory
from ...networks.liveportrait.files import locate_liveportrait
from ...networks.liveportrait.networks import LivePortraitNetworks, load_liveportrait
from ...networks.liveportrait.pasting import paste_difference, paste_plain
from ...networks.pctalk.spoken_lips import LipsFromSound
from ...networks.precision import drawing_dtype
from ...registry import Resources
from ..request import ExpressionRequest
from .back_end import LivePortraitOptions
from .edited_face import EditedFace, corrections_of
from .expressions import LEAST_WIDTH, face_width, read_driver
from .face_edit import FaceEdit, source_keypoints
from .hearing import load_hearing, spoken_emotion, spoken_lips
from .self_test import render_identity
from .sound_emotion import EmotionFromSound

_log = logging.getLogger(__name__)


class LivePortraitEditor:
    """LivePortrait (implements :class:`..editor.ExpressionEditor`).

    networks: All networks; whoever owns them may move them between devices while nothing is edited.
    needs_speech: Whether it hears the clip.
    draws_lips: Whether the lips say what is heard already, so that no talking head need draw them.
    working_memory: Bytes beside the networks on a graphics card.
    """

    needs_faces = True

    def __init__(
        self,
        networks: LivePortraitNetworks,
        options: LivePortraitOptions | None = None,
        *,
        dtype: torch.dtype = torch.float32,
        emotion: EmotionFromSound | None = None,
        lips: LipsFromSound | None = None,
    ) -> None:
        """Join options and networks.

        Args:
            networks: LivePortrait's networks.
            options: What the user chose; None for the defaults.
            dtype: Number format of the large networks.
            emotion: Shows emotions as the sound asks for; None shows them by sliders.
            lips: Moves lips by sound; None leaves them to the expression.
        """
        self._drawing, self._emotion, self._lips, self._dtype = networks, emotion, lips, dtype
        self._options = options or LivePortraitOptions()
        hearing = [network for network in (emotion, lips) if isinstance(network, nn.Module)]
        self.networks = nn.ModuleList([networks, *hearing])
        self.needs_speech, self.draws_lips = bool(hearing) or emotion is not None, lips is not None
        self.working_memory = working_memory(self._options.batch or GPU_BATCH, dtype)

    def edit(
        self,
        frames: Generator[Frame, None, None],
        tracks: Sequence[FaceTrack],
        request: ExpressionRequest,
        *,
        frame_rate: Fraction,
        device: torch.device,
    ) -> Generator[Frame, None, None]:
        """Edit the chosen faces (see :meth:`..editor.ExpressionEditor.edit`).

        Raises:
            InputError: All chosen faces, or that of the reference, are too small or not clearly seen; or nothing is
                heard where emotion or lips come from sound.
        """
        options = self._options
        drawer = FaceDrawer(self._drawing, device, dtype=self._dtype, batch=options.batch, compiled=options.compiled)
        large = [track for track in tracks if _is_large(track)]
        if tracks and not large:
            raise InputError(
                f"all chosen faces are less than {LEAST_WIDTH} pixels wide, too small for LivePortrait; "
                "use --editor mesh, or a larger video"
            )
        driver = read_driver(request.reference, drawer) if request.reference is not None else None
        spoken = spoken_emotion(self._emotion, request, drawer)
        new_lips = spoken_lips(self._lips, request, options, drawer, frame_rate)
        faces = [
            EditedFace(
                track,
                request,
                options,
                driver=driver,
                spoken=spoken,
                lips=new_lips(),
                frame_rate=frame_rate,
                side=drawer.side,
            )
            for track in large
        ]
        return self._edited(frames, faces, request, drawer)

    def self_test(self, frames: list[Frame], track: FaceTrack, *, device: torch.device) -> str:
        """Draw faces as they are, and say how like they are (see :func:`.self_test.render_identity`)."""
        drawer = FaceDrawer(self._drawing, device, dtype=self._dtype, batch=self._options.batch)
        return render_identity(drawer, frames, track)

    def _edited(
        self,
        frames: Generator[Frame, None, None],
        faces: list[EditedFace],
        request: ExpressionRequest,
        drawer: FaceDrawer,
    ) -> Generator[Frame, None, None]:
        waiting: deque[tuple[Frame, list[tuple[EditedFace, FaceEdit]]]] = deque()
        unread: list[tuple[EditedFace, FaceEdit]] = []
        with closing(frames):
            for frame in frames:
                strength = request.strength * request.curve.at(float(frame.time))
                seen = [(face, edit) for face in faces if (edit := face.see(frame, strength)) is not None]
                waiting.append((frame, seen))
                unread += seen
                gone = [face for face in faces if all(face is not other for other, _ in seen)]
                if gone or len(unread) >= drawer.batch:
                    self._read(unread, drawer)
                    unread = []
                for face in gone:
                    face.finish()
                yield from self._drawn(waiting, drawer, least=drawer.batch)
            self._read(unread, drawer)
            for face in faces:
                face.finish()
            yield from self._drawn(waiting, drawer, least=0)

    @staticmethod
    def _read(unread: list[tuple[EditedFace, FaceEdit]], drawer: FaceDrawer) -> None:
        """Read the motion of new faces and hand them to their persons, in order."""
        if unread:
            motions = drawer.read([edit.picture for _, edit in unread])
            for number, (face, edit) in enumerate(unread):
                edit.motion = motions.rows([number])
                face.push(edit)

    def _drawn(
        self, waiting: deque[tuple[Frame, list[tuple[EditedFace, FaceEdit]]]], drawer: FaceDrawer, *, least: int
    ) -> Generator[Frame, None, None]:
        """Draw and give all frames at the front whose edits are settled, if they hold at least ``least`` faces."""
        ready: list[tuple[Frame, list[tuple[EditedFace, FaceEdit]]]] = []
        for frame, edits in waiting:
            if not all(edit.ready for _, edit in edits):
                break
            ready.append((frame, edits))
        faces = sum(len(edits) for _, edits in ready)
        if not ready or (0 < faces < least and len(ready) < 4 * least):
            return
        for _ in ready:
            waiting.popleft()
        jobs = [job for _, edits in ready for job in edits]
        for start in range(0, len(jobs), drawer.batch):
            self._draw(jobs[start : start + drawer.batch], drawer)
        for frame, edits in ready:
            for _, edit in edits:
                frame = self._pasted(frame, edit)
            yield frame

    def _draw(self, jobs: Sequence[tuple[EditedFace, FaceEdit]], drawer: FaceDrawer) -> None:
        """Draw faces; their ``points`` give way to the pictures."""
        edits = [edit for _, edit in jobs]
        source = source_keypoints(edits)
        corrections = corrections_of(self._options)
        edited = torch.cat(
            [
                self._corrected(drawer, source[n : n + 1], edit.keypoints, corrections, face, edit)
                for n, (face, edit) in enumerate(jobs)
            ]
        )
        ways = [edited]
        if self._options.pasting == "difference":
            still = Corrections(stitching=corrections.stitching, keep_lips=corrections.keep_lips)
            ways.insert(
                0,
                torch.cat(
                    [
                        self._corrected(drawer, source[n : n + 1], source[n : n + 1], still, face, edit)
                        for n, (face, edit) in enumerate(jobs)
                    ]
                ),
            )
        pictures = drawer.draw([edit.picture for edit in edits], source, ways)
        for number, edit in enumerate(edits):
            edit.pictures = [way[number] for way in pictures]

    def _corrected(
        self,
        drawer: FaceDrawer,
        source: Tensor,
        points: Tensor,
        corrections: Corrections,
        face: EditedFace,
        edit: FaceEdit,
    ) -> Tensor:
        with torch.inference_mode():
            openings = face.openings([edit])
            return drawer.on_device(
                lambda a, b: corrected(
                    drawer.networks, a, b, corrections, openings, relative=self._options.motion == "relative"
                ),
                source,
                points,
            )

    def _pasted(self, frame: Frame, edit: FaceEdit) -> Frame:
        assert edit.pictures is not None
        if self._options.pasting == "difference":
            unchanged, edited = edit.pictures
            return paste_difference(frame, edit.crop, unchanged, edited, weight=edit.weight)
        return paste_plain(frame, edit.crop, edit.pictures[0], weight=edit.weight)


def _is_large(track: FaceTrack) -> bool:
    """Whether a face is large enough, judged from evenly spread frames; a face that never is seen counts as large."""
    length = track.stop_frame - track.first_frame
    width = face_width(track, [track.first_frame + int(n) for n in np.linspace(0, length - 1, min(length, 15))])
    if width is not None and width < LEAST_WIDTH:
        _log.warning("a face of %.0f pixels is too small for LivePortrait and stays as it is", width)
        return False
    return True


def load(options: LivePortraitOptions, resources: Resources) -> LivePortraitEditor:
    """Load LivePortrait.

    Args:
        options: What the user chose.
        resources: Folders with the published files, else they are fetched from the hub; the device decides the number
            format.

    Returns:
        The editor, its networks on the CPU.

    Raises:
        WeightsError: A model file is missing or unusable.
    """
    emotion, lips = load_hearing(options, resources)  # first: files that nobody can fetch for the user
    files = locate_liveportrait(folders=resources.folders, progress=resources.progress)
    dtype = drawing_dtype(options.precision, resources.device)
    return LivePortraitEditor(load_liveportrait(files), options, dtype=dtype, emotion=emotion, lips=lips)
