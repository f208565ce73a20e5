"""One person of a shot while it is being tracked."""

from __future__ import annotations

import numpy as np

from ..models import MeshFit
from .association import FaceBox, box_centre, landmark_box
from .landmark_store import LandmarkStore, Refine, Segment, SegmentWriter

_KEPT_VELOCITY = 0.6  # share kept per frame


class Person:
    """A person and their appearances so far.

    track_id: Unique in the clip.
    segments: Finished appearances.
    live: Whether the person is seen in the frame tracked last.
    last_frame: Frame of the last fit, -1 before the first.
    landmarks: (468 or 478, 3) of the last fit, pixels.
    box: Around these.
    """

    def __init__(self, track_id: int, store: LandmarkStore, refine: Refine) -> None:
        self.track_id = track_id
        self.segments: list[Segment] = []
        self.live = False
        self.last_frame = -1
        self.landmarks = np.empty((0, 3), np.float32)
        self.box: FaceBox = (0.0, 0.0, 0.0, 0.0)
        self._store, self._refine = store, refine
        self._writer: SegmentWriter | None = None
        self._velocity = np.zeros(2)  # pixels per frame

    def expected(self, frames: int = 1) -> FaceBox:
        """Extrapolate the box of the last fit by some frames at the velocity it had."""
        x0, y0, x1, y1 = self.box
        dx, dy = (float(v) * frames for v in self._velocity)
        return x0 + dx, y0 + dy, x1 + dx, y1 + dy

    def see(self, frame: int, fit: MeshFit, *, shot_start: int) -> None:
        """Add the fit of a frame; frames since the last one are a gap."""
        if self._writer is None:
            self._writer = SegmentWriter(self._store, frame, refine=self._refine, fades_in=frame != shot_start)
        self._writer.add(frame, fit)
        box = landmark_box(fit.landmarks)
        if self.last_frame == frame - 1:
            moved = np.subtract(box_centre(box), box_centre(self.box))
            self._velocity = _KEPT_VELOCITY * self._velocity + (1 - _KEPT_VELOCITY) * moved
        else:
            self._velocity = np.zeros(2)
        self.landmarks, self.box, self.last_frame, self.live = fit.landmarks, box, frame, True

    def end(self, *, fades_out: bool) -> None:
        """Close the current appearance, if any; the person may appear again."""
        if self._writer is not None:
            self.segments.append(self._writer.close(fades_out=fades_out))
        self._writer, self.live = None, False
