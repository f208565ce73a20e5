"""Tracking everybody through a clip in one streaming pass."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from ..errors import InputError
from ..media.frame import Frame
from ..media.video import Video
from ..progress import Progress, silent
from .appearances import Appearances
from .association import FaceBox, box_side, distance, landmark_box, reachable, same_place
from .canonical import canonical_mesh
from .clip_faces import ClipFaces, ClipTrack
from .landmark_store import LandmarkStore, Segment, SegmentWriter
from .models import FaceModels, FaceRoi, MeshFit
from .shots import CutConfig, split_shots
from .smoothing import SmoothingConfig
from .weight import WeightConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackerConfig:
    """detect_every: frames between searches for new faces while at least one is tracked. max_faces: at a time.
    min_presence: least score 0..1 of a fit. min_face: least face size in pixels. max_gap: seconds without the face
    that are interpolated. max_absence: seconds after which a face at the same place is a new one. min_seen: seconds a
    face must be seen to be counted in the order of faces.
    """

    detect_every: int = 8
    max_faces: int = 8
    min_presence: float = 0.5
    min_face: float = 24.0
    max_gap: float = 0.4
    max_absence: float = 4.0
    min_seen: float = 0.2
    cuts: CutConfig = field(default_factory=CutConfig)
    smoothing: SmoothingConfig = field(default_factory=SmoothingConfig)
    weight: WeightConfig = field(default_factory=WeightConfig)

    def __post_init__(self) -> None:
        for name in ("detect_every", "max_faces"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; give 1 or more")
        if not 0 < self.min_presence < 1:
            raise InputError(f"min_presence is {self.min_presence:g}; give a value between 0 and 1, such as 0.5")
        for name in ("min_face", "max_gap", "min_seen"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name):g}; give 0 or more")
        if self.max_absence < self.max_gap:
            raise InputError(f"max_absence {self.max_absence:g} s is below max_gap {self.max_gap:g} s; raise it")


class _Person:
    """One person of the current shot while the clip is being tracked."""

    def __init__(self, track_id: int) -> None:
        self.track_id = track_id
        self.segments: list[Segment] = []
        self.writer: SegmentWriter | None = None
        self.live = False
        self.last_frame = -1
        self.landmarks = np.empty((0, 3), np.float32)
        self.box: FaceBox = (0.0, 0.0, 0.0, 0.0)
        self.velocity = np.zeros(2)

    def expected(self) -> FaceBox:
        """Where the face should be in the next frame."""
        x0, y0, x1, y1 = self.box
        vx, vy = self.velocity
        return x0 + vx, y0 + vy, x1 + vx, y1 + vy

    def see(self, frame: int, landmarks: np.ndarray) -> None:
        box = landmark_box(landmarks)
        moved = np.array([box[0] + box[2] - self.box[0] - self.box[2], box[1] + box[3] - self.box[1] - self.box[3]]) / 2
        self.velocity = moved if self.live and self.last_frame == frame - 1 else np.zeros(2)
        self.landmarks, self.box, self.last_frame, self.live = landmarks, box, frame, True

    def end(self, *, fades_out: bool) -> None:
        if self.writer is not None:
            self.segments.append(self.writer.close(fades_out=fades_out))
        self.writer, self.live = None, False


class _Tracking:
    """The state of one pass over a clip."""

    def __init__(self, models: FaceModels, config: TrackerConfig, frame_rate: Fraction) -> None:
        self._models = models
        self._config = config
        self._store = LandmarkStore()
        self._people: list[_Person] = []
        self.finished: list[_Person] = []
        self._shot_start = 0
        self._held: deque[Frame] = deque(maxlen=config.detect_every)  # of this shot, just before the current frame
        self._last_search = -(10**9)
        self._ids = 0
        self.max_gap = round(config.max_gap * frame_rate)
        self._max_absence = round(config.max_absence * frame_rate)

    def end_shot(self, frame: int) -> None:
        """Forget everybody: a cut lies before ``frame``, or the clip ends there."""
        for person in self._people:
            person.end(fades_out=person.last_frame != frame - 1)
        self.finished += self._people
        self._people = []
        self._held.clear()
        self._shot_start, self._last_search = frame, -(10**9)

    def step(self, frame: Frame) -> None:
        self._follow(frame)
        live = [p for p in self._people if p.live]
        lost = any(not p.live and frame.index - p.last_frame <= self.max_gap + 1 for p in self._people)
        if lost or not live or frame.index - self._last_search >= self._config.detect_every:
            self._search(frame)
        for person in self._people:
            if frame.index - person.last_frame > self.max_gap:
                person.end(fades_out=True)
        self._held.append(frame)

    def _follow(self, frame: Frame) -> None:
        """Fit every live face where its own last landmarks were."""
        live = [p for p in self._people if p.live]
        if not live:
            return
        fits = self._models.fit(frame, [self._models.roi_from_landmarks(p.landmarks) for p in live])
        found: list[tuple[_Person, MeshFit, FaceBox]] = []
        for person, fit in zip(live, fits, strict=True):
            box = landmark_box(fit.landmarks)
            if self._usable(fit, box) and reachable(person.box, box, 1):
                found.append((person, fit, box))
        # Where two fits fell onto one face, it belongs to the person it is the lesser jump for; if equal, the elder.
        found.sort(key=lambda item: (round(distance(item[0].expected(), item[2]), 1), item[0].track_id))
        kept: list[FaceBox] = []
        for person in live:
            person.live = False
        for person, fit, box in found:
            if not any(same_place(box, other) for other in kept):
                kept.append(box)
                self._record(person, frame.index, fit.landmarks)

    def _search(self, frame: Frame) -> None:
        """Detect faces; those that nobody live accounts for are people come back, or new."""
        self._last_search = frame.index
        taken = [p.box for p in self._people if p.live]
        for detection in self._models.detect(frame):
            if len(taken) >= self._config.max_faces:
                return
            if box_side(detection.box) < self._config.min_face or any(same_place(detection.box, b) for b in taken):
                continue
            fit = self._acquire(frame, self._models.roi_from_detection(detection))
            if fit is None or any(same_place(landmark_box(fit.landmarks), box) for box in taken):
                continue
            box = landmark_box(fit.landmarks)
            person = self._returning(frame.index, box) or self._newcomer()
            for earlier, landmarks in reversed(self._traced_back(fit.landmarks, person.last_frame, taken)):
                self._record(person, earlier, landmarks)
            self._record(person, frame.index, fit.landmarks)
            taken.append(box)

    def _traced_back(
        self, landmarks: np.ndarray, last_frame: int, taken: list[FaceBox]
    ) -> list[tuple[int, np.ndarray]]:
        """Fits of the face just found in the held frames before it was, latest first: searches come late."""
        fits: list[tuple[int, np.ndarray]] = []
        for frame in reversed(self._held):
            if frame.index <= last_frame:
                break
            (fit,) = self._models.fit(frame, [self._models.roi_from_landmarks(landmarks)])
            box = landmark_box(fit.landmarks)
            lost = not self._usable(fit, box) or not reachable(landmark_box(landmarks), box, 1)
            if lost or any(same_place(box, other) for other in taken):
                break
            landmarks = fit.landmarks
            fits.append((frame.index, landmarks))
        return fits

    def _acquire(self, frame: Frame, roi: FaceRoi) -> MeshFit | None:
        """Fit twice, so that already the first fit comes from a region placed by landmarks, as all later ones do."""
        for _ in range(2):
            (fit,) = self._models.fit(frame, [roi])
            if not self._usable(fit, landmark_box(fit.landmarks)):
                return None
            roi = self._models.roi_from_landmarks(fit.landmarks)
        return fit

    def _usable(self, fit: MeshFit, box: FaceBox) -> bool:
        return fit.presence >= self._config.min_presence and box_side(box) >= self._config.min_face

    def _returning(self, frame: int, box: FaceBox) -> _Person | None:
        """The lost person whose last place is nearest, if near enough."""
        near = [
            p
            for p in self._people
            if not p.live
            and frame - p.last_frame <= self._max_absence
            and reachable(p.box, box, min(frame - p.last_frame, self.max_gap + 1))
        ]
        return min(near, key=lambda p: distance(p.box, box), default=None)

    def _newcomer(self) -> _Person:
        person = _Person(self._ids)
        self._ids += 1
        self._people.append(person)
        return person

    def _record(self, person: _Person, frame: int, landmarks: np.ndarray) -> None:
        if person.writer is None:
            person.writer = SegmentWriter(self._store, frame, fades_in=frame != self._shot_start)
        person.writer.add(frame, landmarks)
        person.see(frame, landmarks)


def track_faces(
    video: Video, *, models: FaceModels, config: TrackerConfig | None = None, progress: Progress = silent
) -> ClipFaces:
    """Everybody in ``video``, read once as a stream; a clip without a face gives no tracks.

    ``progress`` gets the stage "Finding faces" after each frame. Landmarks rest in a nameless temporary file that
    goes with the result. Raises whatever reading the video raises, and OutputError where temporary space runs out.
    """
    config = config or TrackerConfig()
    info = video.info
    state = _Tracking(models, config, info.frame_rate)
    cuts: list[int] = []
    count = 0
    size = (info.width, info.height)
    frames = video.frames()
    try:
        for frame, is_cut in split_shots(frames, config.cuts):
            if is_cut:
                cuts.append(frame.index)
                state.end_shot(frame.index)
            state.step(frame)
            count, size = frame.index + 1, (frame.width, frame.height)
            progress("Finding faces", count, info.frame_count)
    finally:
        close = getattr(frames, "close", None)
        if close is not None:
            close()
    state.end_shot(count)
    canonical = canonical_mesh()
    fade = round(config.weight.fade * info.frame_rate)
    tracks = []
    for person in sorted(state.finished, key=lambda p: p.track_id):
        appearances = Appearances(
            segments=tuple(person.segments),
            canonical=canonical,
            size=size,
            fade=fade,
            max_gap=state.max_gap,
            smoothing=config.smoothing,
            weighting=config.weight,
        )
        tracks.append(ClipTrack(track_id=person.track_id, appearances=appearances))
    return ClipFaces(
        name=info.name,
        frame_count=count,
        frame_rate=info.frame_rate,
        size=size,
        tracks=tuple(tracks),
        cuts=tuple(cuts),
        min_frames=max(1, round(config.min_seen * info.frame_rate)),
    )
