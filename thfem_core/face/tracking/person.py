"""One person of a shot while it is being tracked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..models import FaceModels, FaceRoi, MeshFit
from .association import FaceBox, box_centre, landmark_box
from .landmark_store import LandmarkStore, Segment, SegmentWriter

_KEPT_VELOCITY = 0.6  # share kept per frame
# Presence below which a fit is completed at once. It is above .99 on frontal faces, and falls on profiles, which are
# lost where the coarse mesh places the next region.
_SURE = 0.97


class Person:
    """A person and their appearances so far.

    track_id: Unique in the clip.
    segments: Finished appearances.
    live: Whether the person is seen in the frame tracked last.
    last_frame: Frame of the last fit, -1 before the first.
    landmarks: (468 or 478, 3) of the last fit, pixels.
    box: Around these.
    """

    def __init__(self, track_id: int, store: LandmarkStore, models: FaceModels) -> None:
        self.track_id = track_id
        self.segments: list[Segment] = []
        self.live = False
        self.last_frame = -1
        self.landmarks = np.empty((0, 3), np.float32)
        self.box: FaceBox = (0.0, 0.0, 0.0, 0.0)
        self._store, self._models = store, models
        # radians from the region that rough landmarks place to that of exact ones, where known
        self._turn: float | None = None
        self._rough = False  # whether the last fit is
        self._writer: SegmentWriter | None = None
        self._velocity = np.zeros(2)  # pixels per frame

    def expected(self, frames: int = 1) -> FaceBox:
        """Extrapolate the box of the last fit by some frames at the velocity it had."""
        x0, y0, x1, y1 = self.box
        dx, dy = (float(v) * frames for v in self._velocity)
        return x0 + dx, y0 + dy, x1 + dx, y1 + dy

    def roi(self) -> FaceRoi:
        """Say where to fit the mesh in the next frame: where exact landmarks of the last fit would place it."""
        roi = self._models.roi_from_landmarks(self.landmarks)
        return replace(roi, rotation=roi.rotation + (self._turn or 0.0)) if self._rough else roi

    def settled(self, fit: MeshFit) -> MeshFit:
        """Complete a rough fit at once where the next region needs it: the first, unsure ones and what follows them."""
        unsure = fit.presence < _SURE
        if fit.details is None or not (unsure or self._turn is None):
            return fit
        (exact,) = self._models.refined([fit])
        self._turn = None if unsure else self._mean_turn([fit], [exact])  # changes from frame to frame on profiles
        return replace(fit, landmarks=exact, details=None)

    def _refined(self, fits: Sequence[MeshFit]) -> list[np.ndarray]:
        """Complete rough fits that are to be written; after an unsure one, they no longer say how to turn."""
        exact = self._models.refined(fits)
        if self._turn is not None:
            self._turn = self._mean_turn(fits, exact)
        return exact

    def _mean_turn(self, rough: Sequence[MeshFit], exact: Sequence[np.ndarray]) -> float:
        place = self._models.roi_from_landmarks
        turns = [place(to).rotation - place(fit.landmarks).rotation for fit, to in zip(rough, exact, strict=True)]
        return float(np.mean([math.remainder(turn, math.tau) for turn in turns]))

    def see(self, frame: int, fit: MeshFit, *, shot_start: int) -> None:
        """Add the fit of a frame; frames since the last one are a gap."""
        if self._writer is None:
            self._writer = SegmentWriter(self._store, frame, refine=self._refined, fades_in=frame != shot_start)
        self._writer.add(frame, fit)
        box = landmark_box(fit.landmarks)
        if self.last_frame == frame - 1:
            moved = np.subtract(box_centre(box), box_centre(self.box))
            self._velocity = _KEPT_VELOCITY * self._velocity + (1 - _KEPT_VELOCITY) * moved
        else:
            self._velocity = np.zeros(2)
        self.landmarks, self.box, self.last_frame, self.live = fit.landmarks, box, frame, True
        self._rough = fit.details is not None

    def end(self, *, fades_out: bool) -> None:
        """Close the current appearance, if any; the person may appear again."""
        if self._writer is not None:
            self.segments.append(self._writer.close(fades_out=fades_out))
        self._writer, self.live = None, False
