"""The ``mesh`` back end of the SPFEM stage."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np
import torch

from ...errors import InputError
from ...face.mesh.flow import dense_warp
from ...face.mesh.surface import face_surface
from ...face.occlusion.clip import ClipOcclusion
from ...face.occlusion.cover import FaceCover
from ...face.tracking.edited_landmarks import EditedLandmarks
from ...face.tracking.track import FaceTrack
from ...media.frame import Frame
from ...media.ordered_map import ordered_map
from ...registry import Resources
from ..editor import OPENING
from ..request import ExpressionRequest
from .back_end import MeshOptions
from .clip_expression import ClipExpression, measure_expression
from .fold_shading import FoldShading, Shading, Skin, measure_skin
from .plan import MotionPlan, plan_motion
from .render import apply_warp
from .spectacles import WORN_FROM, bridge_strength
from .texture import MeanShading

BLOCK = 32  # tracked frames read at once
WORKERS = 2  # frames drawn at once
CELL = 1.3  # spacing of the flow grid, face units
# Frames held at the start to judge spectacles on more than one picture, and the least weight of a clear view.
LOOK_AHEAD = OPENING
CLEAR_VIEW = 0.5


class MeshEditor:
    """Moves a face mesh by action units and lets the picture follow; needs no network and no GPU.

    ``device`` is accepted for the protocol's sake: the warp runs in OpenCV on the CPU, where it is fast enough.
    """

    needs_faces = True

    def __init__(self, options: MeshOptions | None = None, resources: Resources | None = None) -> None:
        """Start an editor.

        Args:
            options: Texture and spectacles; None for the defaults.
            resources: Not used: the files of the editor are embedded.
        """
        self._options = options or MeshOptions()

    def plan(self, request: ExpressionRequest, source: ClipExpression, reference: ClipExpression | None) -> MotionPlan:
        """Say how a face moves; editors that take other requests draw by other plans."""
        return plan_motion(request, source, reference)

    def edit(
        self,
        frames: Generator[Frame, None, None],
        tracks: Sequence[FaceTrack],
        request: ExpressionRequest,
        *,
        frame_rate: Fraction,
        device: torch.device,
    ) -> Generator[Frame, None, None]:
        """See :meth:`..editor.ExpressionEditor.edit`. Strength follows the request's curve at each frame's time."""
        return self.edit_with_landmarks(frames, tracks, request, frame_rate=frame_rate, device=device, edited=None)

    def edit_with_landmarks(
        self,
        frames: Generator[Frame, None, None],
        tracks: Sequence[FaceTrack],
        request: ExpressionRequest,
        *,
        frame_rate: Fraction,
        device: torch.device,
        edited: EditedLandmarks | None,
        occlusion: ClipOcclusion | None = None,
    ) -> Generator[Frame, None, None]:
        """See :meth:`..editor.LandmarkEditor.edit_with_landmarks`."""
        reference = _read_reference(request)
        faces = []
        for track in tracks:
            source = measure_expression(track)
            if source is not None:
                faces.append(_Face(track, self.plan(request, source, reference), self._options))
        first = deque(islice(frames, LOOK_AHEAD))
        for face in faces:
            face.look(list(first))
        jobs = _moves(_emptied(first, frames), faces, request, edited, occlusion)
        yield from ordered_map(lambda job: _render(*job), jobs, workers=WORKERS)

    def read_faces(self, tracks: Sequence[FaceTrack], looks: Sequence[Sequence[Frame]]) -> MeshFaces:
        """See :meth:`..editor.MomentEditor.read_faces`."""
        return MeshFaces(self, tracks, looks, self._options)


class MeshFaces:
    """Faces of a clip, measured once and edited again and again (implements :class:`..editor.ReadFaces`)."""

    def __init__(
        self,
        editor: MeshEditor,
        tracks: Sequence[FaceTrack],
        looks: Sequence[Sequence[Frame]],
        options: MeshOptions,
    ) -> None:
        """Measure expressions, light and skin.

        Args:
            editor: Plans how the faces move.
            tracks: The faces.
            looks: Groups of frames to judge the faces from; a face is judged from the first group that shows it.
            options: How the editor draws.
        """
        self._editor, self._faces = editor, list[_Face]()
        no_change = ExpressionRequest(emotion="neutral", strength=0.0)
        for track in tracks:
            source = measure_expression(track)
            if source is not None:
                face = _Face(track, editor.plan(no_change, source, None), options)
                for frames in looks:
                    face.look(frames)
                self._faces.append(face)

    def edit(
        self,
        frames: Sequence[Frame],
        request: ExpressionRequest,
        *,
        drawn: Collection[int],
        edited: EditedLandmarks,
        occlusion: ClipOcclusion | None = None,
    ) -> list[Frame]:
        """See :meth:`..editor.ReadFaces.edit`."""
        reference = _read_reference(request)
        faces = [face.replanned(self._editor.plan(request, face.source, reference)) for face in self._faces]
        return [
            _render(frame, moves) if frame.index in drawn else frame
            for frame, moves in _moves(frames, faces, request, edited, occlusion)
        ]


def _emptied(first: deque[Frame], others: Iterable[Frame]) -> Iterator[Frame]:
    """Yield the first frames, letting go of each, then the others."""
    while first:
        yield first.popleft()
    yield from others


def _read_reference(request: ExpressionRequest) -> ClipExpression | None:
    """What the reference shows; None for a request without one. Raises InputError where its face cannot be read."""
    if request.reference is None:
        return None
    track = request.reference.track
    reference = None if track is None else measure_expression(track)
    if reference is None:
        raise InputError(f"no face can be read in the reference {request.reference.video.info.name}")
    return reference


@dataclass(frozen=True, kw_only=True, slots=True)
class _Move:
    """What one face does in one frame.

    landmarks: (478, 3) in pixels.
    displacement: (478, 3) in pixels.
    strength: Factor on the face's plan.
    shading: Adds the folds, or None for none.
    cover: What is in front of the face, or None for nothing.
    """

    landmarks: np.ndarray
    displacement: np.ndarray
    strength: float
    shading: Shading | None
    cover: FaceCover | None


def _moves(
    frames: Iterable[Frame],
    faces: list[_Face],
    request: ExpressionRequest,
    edited: EditedLandmarks | None,
    occlusion: ClipOcclusion | None,
) -> Iterator[tuple[Frame, list[_Move]]]:
    """Yield what the faces do in each frame, and note where that puts their landmarks."""
    for frame in frames:
        strength = request.strength * request.curve.at(float(frame.time))
        moves = []
        for face in faces:
            cover = None if occlusion is None else occlusion.cover(face.track_id, frame.index)
            move = face.move(frame, strength, cover)
            if move is None:
                continue
            moves.append(move)
            if edited is not None:
                free = 1.0 if cover is None else cover.free_at(move.landmarks)[:, None]
                edited.put(face.track_id, frame.index, move.landmarks + free * move.displacement)
        yield frame, moves if strength > 0 else []


def _render(frame: Frame, moves: list[_Move]) -> Frame:
    for move in moves:
        eye_distance = float(np.linalg.norm(move.landmarks[33] - move.landmarks[263]))
        warp = dense_warp(
            face_surface(),
            move.landmarks,
            move.displacement[:, :2],
            move.shading.log_gain(move.landmarks, move.strength) if move.shading is not None else None,
            cell=max(1.0, CELL * eye_distance / 100),
            frame_size=(frame.width, frame.height),
        )
        if warp is not None and move.cover is not None:
            warp = move.cover.damped(warp)
        if warp is not None:
            frame = apply_warp(frame, warp, slopes=move.shading.slopes if move.shading is not None else (1, 1, 1))
    return frame


class _Face:
    """One person's plan, and the block of tracked frames around the current one."""

    def __init__(self, track: FaceTrack, plan: MotionPlan, options: MeshOptions) -> None:
        self.track_id = track.track_id
        self._track, self._plan, self._options = track, plan, options
        self._spectacles = options.spectacles == "yes"
        self._skin: Skin | None = None
        self._shading: Shading | None = None
        self._looked = self._seen = False
        self._start = self._stop = 0

    @property
    def source(self) -> ClipExpression:
        """The face as it was measured."""
        return self._plan.source

    def replanned(self, plan: MotionPlan) -> _Face:
        """The same face under another plan; it looks at no further frames."""
        face = copy(self)
        face._plan, face._looked = plan, True
        face._shade()
        return face

    def look(self, frames: Sequence[Frame]) -> None:
        """Judge spectacles, light and skin from those of the frames in which the face is clearly seen, if any."""
        if self._looked:
            return
        seen = [f for f in frames[:: LOOK_AHEAD // 4] if self._sample(f.index)[1] > CLEAR_VIEW]
        if not seen:
            return
        self._looked = self._seen = True
        landmarks = [self._sample(frame.index)[0] for frame in seen]
        if self._options.spectacles == "auto":
            lines = [bridge_strength(*each) for each in zip(seen, landmarks, strict=True)]
            self._spectacles = float(np.mean(lines)) > WORN_FROM
        if self._options.texture and self._options.folds == "light":
            self._skin = measure_skin(seen, landmarks, self._plan.source.mean.shape)
        self._shade()

    def _shade(self) -> None:
        """Work out the folds of the plan, where the face has been seen."""
        texture = self._options.texture
        if texture and self._seen and self._options.folds == "mean":
            self._shading = MeanShading(self._plan, texture=texture)
        elif self._skin is not None:
            self._shading = FoldShading(self._plan, self._skin, texture=texture)

    def _sample(self, index: int) -> tuple[np.ndarray, float]:
        samples = self._track.samples(index, index + 1)
        return samples.landmarks[0], float(samples.weight[0])

    def _load(self, index: int) -> None:
        self._start, self._stop = index, min(index + BLOCK, self._track.stop_frame)
        samples = self._track.samples(self._start, self._stop)
        self._landmarks, self._weight = samples.landmarks, samples.weight

    def move(self, frame: Frame, strength: float, cover: FaceCover | None) -> _Move | None:
        """What the face does in this frame; None where it is not seen."""
        if not self._track.first_frame <= frame.index < self._track.stop_frame:
            return None
        self.look([frame])
        if not self._start <= frame.index < self._stop:
            self._load(frame.index)
        row = frame.index - self._start
        if self._weight[row] <= 0:
            return None
        amount = strength * float(self._weight[row])
        landmarks = self._landmarks[row]
        # At the strength that is drawn: lids are not linear in it, they stop before they cross.
        moved = self._plan.displacements(landmarks[None], np.array([amount]), spectacles=self._spectacles)
        return _Move(
            landmarks=landmarks,
            displacement=moved[0],
            strength=amount,
            shading=self._shading,
            cover=cover,
        )
