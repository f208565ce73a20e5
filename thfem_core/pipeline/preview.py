"""Seeing an edit in single frames, before the whole clip is edited."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np
import torch

from ..audio.speech import Speech
from ..errors import InputError
from ..expression.editor import ExpressionEditor, MomentEditor, ReadFaces, editors
from ..expression.request import ExpressionRequest
from ..face.occlusion.clip import ClipOcclusion
from ..face.tracking.edited_landmarks import EditedLandmarks
from ..face.tracking.track import FaceTrack, FaceTracks
from ..loaded import Kept
from ..media.frame import Frame
from ..media.random_access import RandomAccess
from ..media.video import Video
from ..progress import Progress, silent
from ..registry import Resources
from ..talking_head.moment import LipMoment, draw_lips, lip_moments
from ..talking_head.redraw import PreparedTalkingHead
from .config import EditConfig
from .faces import choose_faces, with_reference_face
from .licence import permissive
from .lips import prepare_lips
from .moments import KEPT, ClipMoments, Excerpt, TrackedPart, renumbered
from .occlusion import check_mask, prepare_occlusion

COVER_REACH = 6  # frames before one, from which it is known what is in front of its faces: masks fade over time


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PreviewedFrame:
    """One frame of a clip, before and after an edit.

    index: Its number in the clip.
    time: Seconds from the first frame.
    source: uint8 RGB (H, W, 3).
    edited: The same.
    faces: (478, 3) landmarks in pixels of each face that was edited; empty where nothing could be.
    lips: Why the lips stay as the editor leaves them; None where they were drawn, or nobody was to draw them.
    """

    index: int
    time: Fraction
    source: np.ndarray
    edited: np.ndarray
    faces: tuple[np.ndarray, ...] = ()
    lips: str | None = None


class ClipPreview:
    """A clip of which single frames are edited while somebody moves sliders.

    Where the faces of the whole clip are known, and the editor is a
    :class:`..expression.editor.MomentEditor`, a frame equals the one that an edit of the whole clip gives (where
    something has just been in front of the face, nearly: masks fade, and a preview looks back a little only). Otherwise
    faces are followed through the frames around only, and the editor knows the person from these.

    What was decoded, tracked and measured for the last few frames is kept; the clip is not.
    """

    def __init__(
        self,
        video: Video,
        *,
        device: torch.device,
        tracks: FaceTracks | None = None,
        folders: Sequence[Path] = (),
        progress: Progress = silent,
    ) -> None:
        """Open a clip.

        Args:
            video: The clip, or one picture.
            device: Where networks run.
            tracks: Faces of the whole clip, if somebody has found them.
            folders: Where model files are searched before the usual folders.
            progress: Hears of the search for faces and of model files.

        Raises:
            InputError: The clip cannot be read, or the tracks are of another one.
        """
        self._moments = ClipMoments(video, tracks, device=device, progress=progress)
        self.video, self.device = video, device
        self._resources = Resources(device=device, folders=tuple(folders), progress=progress)
        self._readings: Kept[ReadFaces] = Kept(KEPT)
        self._editors: Kept[ExpressionEditor] = Kept(KEPT)
        self._covers: Kept[ClipOcclusion | None] = Kept(KEPT)
        self._sound: Kept[Speech | None] = Kept(1)

    @property
    def frame_count(self) -> int:
        """How many frames the clip has."""
        return len(self._moments.access)

    @property
    def knows_clip(self) -> bool:
        """Whether the faces of the whole clip are known."""
        return self._moments.tracks is not None

    def frame_at(self, seconds: float) -> int:
        """The number of the frame that is shown at a moment, in seconds; the first or last one outside of the clip."""
        return self._moments.access.at(Fraction(seconds).limit_denominator(1_000_000))

    def time_of(self, index: int) -> Fraction:
        """When a frame is shown, in seconds from the first."""
        return self._moments.access.times[index]

    def edit(self, index: int, config: EditConfig) -> PreviewedFrame:
        """Edit one frame.

        Args:
            index: Its number, 0 up to :attr:`frame_count` - 1.
            config: What to do.

        Returns:
            The frame before and after.

        Raises:
            InputError: There is no such frame, the clip does not have the face that was asked for, or the occlusion
                mask has another shape.
            WeightsError: Model files are missing or unusable.
        """
        config, _ = permissive(config)
        check_mask(self.video, config.occlusion)
        if not 0 <= index < self.frame_count:
            raise InputError(f"there is no frame {index}; give 0 to {self.frame_count - 1}")
        editor = self._editor(config)
        part = self._moments.part(index)
        chosen = choose_faces(part.tracks, config.face, config.face_order)
        target = self._moments.picture(index)
        here = index - part.offset
        seen = [track for track in chosen if track.samples(here, here + 1).weight[0] > 0]
        if not seen or (editor is None and config.talking_head is None):
            return self._result(target, target)
        edited, lips = self._edited(index, part, seen, chosen, editor, config)
        faces = tuple(track.samples(here, here + 1).landmarks[0] for track in seen)
        return self._result(target, edited, faces=faces, lips=lips)

    def _edited(
        self,
        index: int,
        part: TrackedPart,
        seen: Sequence[FaceTrack],
        chosen: Sequence[FaceTrack],
        editor: ExpressionEditor | None,
        config: EditConfig,
    ) -> tuple[Frame, str | None]:
        """The edited frame, numbered as the tracks are, and why its lips stay."""
        here, rate, edited = index - part.offset, self.video.info.frame_rate, EditedLandmarks()
        prepared = self._lips(config, editor)
        lips: list[LipMoment] = []
        if prepared is not None:
            lips = lip_moments(here, seen, prepared, frame_rate=rate, device=self.device, edited=edited)
        drawn = {here, *(window.source for each in lips for window in each.windows)}
        around = set(drawn)
        by_itself = isinstance(editor, MomentEditor)
        for each in lips:
            if by_itself or not each.reads_landmarks:
                around |= set(each.around)
            if not each.reads_landmarks:
                drawn |= set(each.around)
        around = {each for each in around if 0 <= each + part.offset < self.frame_count}
        drawn &= around
        frames = [self._moments.numbered(each, part, picture=each in drawn) for each in sorted(around)]
        occlusion = self._occlusion(index, part, chosen, config, first=min(drawn))
        if editor is not None and config.request is not None:
            request = self._request(config.request, editor)
            if isinstance(editor, MomentEditor):
                faces = self._read_faces(editor, config, part, chosen)
                frames = faces.edit(frames, request, drawn=drawn, edited=edited, occlusion=occlusion)
            else:
                with closing(
                    editor.edit(_stream(frames), chosen, request, frame_rate=rate, device=self.device)
                ) as stream:
                    frames = list(stream)
        by_number = {frame.index: frame for frame in frames}
        reason = None
        for each in lips:
            by_number[here], reason = draw_lips(by_number, each, occlusion)
        result = by_number[here]
        return (result if occlusion is None else occlusion.restore(result)), reason

    def _occlusion(
        self, index: int, part: TrackedPart, chosen: Sequence[FaceTrack], config: EditConfig, *, first: int
    ) -> ClipOcclusion | None:
        """What is in front of the chosen faces in a frame and those before it, from the number ``first`` on."""
        if config.occlusion == "off":
            return None

        def look() -> ClipOcclusion | None:
            start = max(first - COVER_REACH, -part.offset, 0)
            mask = config.occlusion
            if not isinstance(mask, str) and not mask.info.is_still:
                pictures = RandomAccess(mask).read(start + part.offset, index + 1)
                mask = cast(Video, Excerpt(info=mask.info, pictures=pictures))
            occlusion = prepare_occlusion(self.video, chosen, mask, device=self.device)
            if occlusion is not None:
                with closing(occlusion):
                    # not by way of the few pictures that are kept: these are many, and looked at once
                    for number, frame in enumerate(self._moments.access.read(start + part.offset, index + 1), start):
                        occlusion.look(renumbered(frame, number))
            return occlusion

        faces = tuple(track.track_id for track in chosen)
        mask = config.occlusion if isinstance(config.occlusion, str) else id(config.occlusion)
        return self._covers.get_or_make((index, first, part.tracks, faces, mask), look)

    def _result(self, source: Frame, edited: Frame, **facts: object) -> PreviewedFrame:
        return PreviewedFrame(
            index=source.index,
            time=source.time,
            source=source.rgb(),
            edited=edited.rgb(),
            **facts,  # type: ignore[arg-type]  # as the caller names them
        )

    def _read_faces(
        self, editor: MomentEditor, config: EditConfig, part: TrackedPart, chosen: Sequence[FaceTrack]
    ) -> ReadFaces:
        key = (_editor_key(config), part.tracks, tuple(track.track_id for track in chosen))
        return self._readings.get_or_make(key, lambda: editor.read_faces(chosen, self._moments.looks(part, chosen)))

    def _editor(self, config: EditConfig) -> ExpressionEditor | None:
        if config.request is None:
            return None
        editor = config.editor
        if isinstance(editor, str):
            name = editor
            editor = self._editors.get_or_make(
                _editor_key(config), lambda: editors.create(name, config.editor_options, self._resources)
            )
        if not editor.needs_faces:
            raise InputError("this editor shows frames of another system; there is nothing to preview but these")
        return editor

    def _lips(self, config: EditConfig, editor: ExpressionEditor | None) -> PreparedTalkingHead | None:
        needs_sound = config.talking_head is not None and config.drive != "original"
        return prepare_lips(
            self.video,
            config,
            editor=editor,
            sound=self._speech() if needs_sound else None,
            poses=(),
            resources=self._resources,
            warn=lambda line: None,
        )

    def _speech(self) -> Speech | None:
        return self._sound.get_or_make("speech", lambda: Speech.from_video(self.video))

    def _request(self, request: ExpressionRequest, editor: ExpressionEditor) -> ExpressionRequest:
        """The request with the face of its reference and, for editors that listen, the sound."""
        found = with_reference_face(request, device=self.device, progress=self._resources.progress)
        assert found is not None
        return replace(found, speech=self._speech()) if getattr(editor, "needs_speech", False) else found


def _editor_key(config: EditConfig) -> Hashable:
    if not isinstance(config.editor, str):
        return id(config.editor)
    return (config.editor, repr(sorted(config.editor_options.items())))


def _stream(frames: Iterable[Frame]) -> Generator[Frame, None, None]:
    yield from frames
