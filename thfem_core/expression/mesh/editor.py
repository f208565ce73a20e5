"""The ``mesh`` back end of the SPFEM stage."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from typing import get_args

import numpy as np
import torch

from ...errors import InputError
from ...face.mesh.flow import dense_warp
from ...face.mesh.surface import face_surface
from ...face.tracking.track import FaceTrack
from ...media.frame import Frame
from ...media.ordered_map import ordered_map
from ..request import ExpressionRequest
from .plan import MotionPlan, plan_motion, read_clip
from .render import apply_warp
from .spectacles import SpectaclesMode, spectacles_score
from .texture import log_ratio

# Frames held at the start to judge spectacles on more than one picture, and the least weight of a clear view.
LOOK_AHEAD = 9
CLEAR_VIEW = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class MeshEditorConfig:
    """texture: gain on the brightness ratios (0 = geometry only, 1 = as measured on actors).

    spectacles: keep the mesh around the eyes near rigid: "yes", "no", or "auto" = where they are seen.
    block: tracked frames read at once. workers: frames drawn at once.
    cell: spacing of the flow grid in face units.
    """

    texture: float = 1.0
    block: int = 32
    workers: int = 2
    cell: float = 1.3
    spectacles: SpectaclesMode = "auto"

    def __post_init__(self) -> None:
        if not 0 <= self.texture <= 2:
            raise InputError(f"texture gain is {self.texture:g}; give a value between 0 (off) and 2")
        if self.spectacles not in get_args(SpectaclesMode):
            raise InputError(f"spectacles is {self.spectacles!r}; give one of: {', '.join(get_args(SpectaclesMode))}")
        for name in ("block", "workers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; give at least 1")
        if not 0.5 <= self.cell <= 8:
            raise ValueError(f"cell is {self.cell:g} face units; give 0.5 (fine) to 8 (coarse)")


class MeshEditor:
    """Moves a face mesh by action units and lets the picture follow; needs no network and no GPU.

    ``device`` is accepted for the protocol's sake: the warp runs in OpenCV on the CPU, where it is fast enough.
    """

    needs_faces = True

    def __init__(self, config: MeshEditorConfig | None = None) -> None:
        self.config = config or MeshEditorConfig()

    def edit(
        self,
        frames: Generator[Frame, None, None],
        tracks: Sequence[FaceTrack],
        request: ExpressionRequest,
        *,
        frame_rate: Fraction,
        device: torch.device,
    ) -> Generator[Frame, None, None]:
        """See :class:`..editor.ExpressionEditor`. Strength follows the request's curve at each frame's time."""
        reference = None
        if request.reference is not None:
            reference = read_clip(request.reference.track)
            if reference is None:
                raise InputError(f"no face can be read in the reference {request.reference.video.info.name}")
        faces = []
        for track in tracks:
            source = read_clip(track)
            if source is not None:
                faces.append(_Face(track, plan_motion(request, source, reference), self.config))
        first = list(islice(frames, LOOK_AHEAD))
        for face in faces:
            face.look(first)
        jobs = _moves(chain(first, frames), faces, request)
        yield from ordered_map(lambda job: _render(*job, self.config), jobs, workers=self.config.workers)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Move:
    """What one face does in one frame: landmarks (478, 3), displacement (478, 2) pixels, gain (N,) or None."""

    landmarks: np.ndarray
    displacement: np.ndarray
    gain: np.ndarray | None


def _moves(
    frames: Iterable[Frame], faces: list[_Face], request: ExpressionRequest
) -> Iterator[tuple[Frame, list[_Move]]]:
    for frame in frames:
        strength = request.strength * request.curve.at(float(frame.time))
        moves = [face.move(frame, strength) for face in faces] if strength > 0 else []
        yield frame, [move for move in moves if move is not None]


def _render(frame: Frame, moves: list[_Move], config: MeshEditorConfig) -> Frame:
    for move in moves:
        eye_distance = float(np.linalg.norm(move.landmarks[33] - move.landmarks[263]))
        warp = dense_warp(
            face_surface(),
            move.landmarks,
            move.displacement,
            move.gain,
            cell=max(1.0, config.cell * eye_distance / 100),
            frame_size=(frame.width, frame.height),
        )
        if warp is not None:
            frame = apply_warp(frame, warp)
    return frame


class _Face:
    """One person's plan, and the block of tracked frames around the current one."""

    def __init__(self, track: FaceTrack, plan: MotionPlan, config: MeshEditorConfig) -> None:
        self._track, self._plan, self._config = track, plan, config
        # Without texture its file (not for commercial use) is never read.
        gain = config.texture * log_ratio(plan.ratio, plan.regions) if config.texture else None
        self._gain = gain if gain is not None and gain.any() else None
        self._spectacles = {"yes": True, "no": False}.get(config.spectacles)
        self._start = self._stop = 0

    def look(self, frames: Sequence[Frame]) -> None:
        """Decide about spectacles from those of the frames in which the face is clearly seen, if any."""
        if self._spectacles is None:
            seen = [f for f in frames[:: LOOK_AHEAD // 2] if self._sample(f.index)[1] > CLEAR_VIEW]
            scores = [spectacles_score(frame, self._sample(frame.index)[0]) for frame in seen]
            if scores:
                self._spectacles = float(np.mean(scores)) > 0

    def _sample(self, index: int) -> tuple[np.ndarray, float]:
        samples = self._track.samples(index, index + 1)
        return samples.landmarks[0], float(samples.weight[0])

    def _load(self, index: int) -> None:
        self._start, self._stop = index, min(index + self._config.block, self._track.stop_frame)
        samples = self._track.samples(self._start, self._stop)
        self._landmarks, self._weight = samples.landmarks, samples.weight

    def move(self, frame: Frame, strength: float) -> _Move | None:
        """What the face does in this frame; None where it is not seen."""
        if not self._track.first_frame <= frame.index < self._track.stop_frame:
            return None
        if self._spectacles is None:
            self.look([frame])
        if not self._start <= frame.index < self._stop:
            self._load(frame.index)
        row = frame.index - self._start
        if self._weight[row] <= 0:
            return None
        amount = strength * float(self._weight[row])
        landmarks = self._landmarks[row]
        # At the strength that is drawn: lids are not linear in it, they stop before they cross.
        moved = self._plan.displacements(landmarks[None], np.array([amount]), spectacles=bool(self._spectacles))
        return _Move(
            landmarks=landmarks,
            displacement=moved[0, :, :2],
            gain=None if self._gain is None else amount * self._gain,
        )
