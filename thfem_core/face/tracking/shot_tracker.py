"""Following people from frame to frame inside a shot, and finding new ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ...media.frame import Frame
from ..models import Detection, FaceModels, FaceRoi, MeshFit
from .association import FaceBox, box_side, distance, landmark_box, reachable, same_fit, same_place
from .landmark_store import LandmarkStore
from .person import Person
from .tracker_config import TrackerConfig


class ShotTracker:
    """The state of one pass over a clip: :meth:`step` per frame, :meth:`end_shot` at cuts and at the end.

    finished: People of all shots that have ended.
    max_gap: Longest gap that is interpolated, frames.
    """

    def __init__(self, models: FaceModels, config: TrackerConfig, frame_rate: Fraction) -> None:
        self._models = models
        self._config = config
        self._store = LandmarkStore()
        self._people: list[Person] = []
        self.finished: list[Person] = []
        self._shot_start = 0
        self._held: deque[Frame] = deque(maxlen=config.detect_every)  # of this shot, just before the current frame
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
        self._shot_start = frame

    def step(self, frame: Frame, detections: Sequence[Detection] | None = None) -> None:
        """Track the next frame of the shot.

        Args:
            frame: The frame.
            detections: The faces that are searched for regularly (:func:`.detections_ahead`); None where none are due.
        """
        self._follow(frame)
        live = [p for p in self._people if p.live]
        lost = any(not p.live and frame.index - p.last_frame <= self.max_gap + 1 for p in self._people)
        if detections is None and (lost or not live):
            detections = self._models.detect(frame)
        if detections is not None:
            self._add(frame, detections)
        for person in self._people:
            if frame.index - person.last_frame > self.max_gap:
                person.end(fades_out=True)
        self._held.append(frame)

    def _follow(self, frame: Frame) -> None:
        """Fit every live face where its own last landmarks were."""
        live = [p for p in self._people if p.live]
        if not live:
            return
        fits = self._models.fit_roughly(frame, [p.roi() for p in live])
        found: list[tuple[Person, MeshFit, FaceBox]] = []
        for person, fit in zip(live, fits, strict=True):
            fit = person.settled(fit)
            box = landmark_box(fit.landmarks)
            if self._usable(fit, box) and reachable(person.box, box, 1):
                found.append((person, fit, box))
        # Where two fits fell onto one face, it belongs to the person it is the lesser jump for; if equal, the elder.
        found.sort(key=lambda item: (round(distance(item[0].expected(), item[2]), 1), item[0].track_id))
        kept: list[FaceBox] = []
        for person in live:
            person.live = False
        for person, fit, box in found:
            if not any(same_fit(box, other) for other in kept):
                kept.append(box)
                person.see(frame.index, fit, shot_start=self._shot_start)

    def _add(self, frame: Frame, detections: Sequence[Detection]) -> None:
        """Take up detected faces that nobody live accounts for: people come back, or new."""
        taken = [p.box for p in self._people if p.live]
        for detection in detections:
            if len(taken) >= self._config.max_faces:
                return
            if box_side(detection.box) < self._config.min_face or any(same_place(detection.box, b) for b in taken):
                continue
            fit = self._acquire(frame, self._models.roi_from_detection(detection))
            if fit is None or any(same_place(landmark_box(fit.landmarks), box) for box in taken):
                continue
            box = landmark_box(fit.landmarks)
            person = self._returning(frame.index, box) or self._newcomer()
            for earlier, earlier_fit in reversed(self._traced_back(fit.landmarks, person.last_frame, taken)):
                person.see(earlier, earlier_fit, shot_start=self._shot_start)
            person.see(frame.index, fit, shot_start=self._shot_start)
            taken.append(box)

    def _traced_back(self, landmarks: np.ndarray, last_frame: int, taken: list[FaceBox]) -> list[tuple[int, MeshFit]]:
        """Fits of the face just found in the held frames before it was, latest first: searches come late."""
        fits: list[tuple[int, MeshFit]] = []
        for frame in reversed(self._held):
            if frame.index <= last_frame:
                break
            (fit,) = self._models.fit(frame, [self._models.roi_from_landmarks(landmarks)])
            box = landmark_box(fit.landmarks)
            lost = not self._usable(fit, box) or not reachable(landmark_box(landmarks), box, 1)
            others = [*taken, *(p.box for p in self._people if p.last_frame >= frame.index)]
            if lost or any(same_place(box, other) for other in others):
                break
            landmarks = fit.landmarks
            fits.append((frame.index, fit))
        return fits

    def _acquire(self, frame: Frame, roi: FaceRoi) -> MeshFit | None:
        """Fit twice, so that already the first fit comes from a region placed by landmarks, as all later ones do."""
        roi = self._models.upright(frame, roi)
        for _ in range(2):
            (fit,) = self._models.fit(frame, [roi])
            if not self._usable(fit, landmark_box(fit.landmarks)):
                return None
            roi = self._models.roi_from_landmarks(fit.landmarks)
        return fit

    def _usable(self, fit: MeshFit, box: FaceBox) -> bool:
        return fit.presence >= self._config.min_presence and box_side(box) >= self._config.min_face

    def _returning(self, frame: int, box: FaceBox) -> Person | None:
        """The lost person nearest to ``box``, if near enough: where last seen, or where their motion led since."""
        near: list[tuple[float, int, Person]] = []
        for person in self._people:
            gap = frame - person.last_frame
            if person.live or gap > self._max_absence:
                continue
            for place in (person.box, person.expected(gap)):
                if reachable(place, box, min(gap, self.max_gap + 1)):
                    near.append((distance(place, box), person.track_id, person))
        return min(near, default=(0.0, 0, None))[2]

    def _newcomer(self) -> Person:
        person = Person(self._ids, self._store, self._models)
        self._ids += 1
        self._people.append(person)
        return person
