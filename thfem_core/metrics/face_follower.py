"""Unsmoothed landmarks of finished frames, fitted anew: what the measures look at."""

from __future__ import annotations

import numpy as np

from ..face.mesh.topology import OUTER_EYE_CORNERS
from ..face.models import FaceModels, FaceRoi
from ..media.frame import Frame

MIN_PRESENCE = 0.5
_TIP = 4  # of the nose
_COUNT_EVERY = 25  # frames between counts of the faces in the picture


class FaceFollower:
    """Follows one face frame by frame without smoothing or interpolation: the largest, or the one it is told.

    most_faces: Most faces seen at once, in the frames where they were counted.
    """

    def __init__(self, models: FaceModels) -> None:
        self._models = models
        self._last: np.ndarray | None = None
        self.most_faces = 0

    def fit(self, frame: Frame, *, near: np.ndarray | None = None) -> np.ndarray:
        """Fit the face mesh to the next frame.

        Args:
            frame: It.
            near: Face mesh (478, 3) of the same moment in another version of the clip, NaN where that shows no face:
                only the face at that place is taken.

        Returns:
            (478, 3) float32 in pixels of the frame; NaN without a face.
        """
        points = None
        if self._last is not None:
            points = self._accept(frame, self._models.roi_from_landmarks(self._last), near)
        if points is None or frame.index % _COUNT_EVERY == 0:
            found = self._find(frame, near, search=points is None)
            points = found if points is None else points
        self._last = points
        return np.full((478, 3), np.nan, np.float32) if points is None else points

    def _accept(self, frame: Frame, roi: FaceRoi, near: np.ndarray | None) -> np.ndarray | None:
        (fit,) = self._models.fit(frame, [roi])
        if fit.presence < MIN_PRESENCE or _apart(fit.landmarks, near) > 0.5:
            return None
        return fit.landmarks

    def _find(self, frame: Frame, near: np.ndarray | None, *, search: bool) -> np.ndarray | None:
        detections = self._models.detect(frame)
        self.most_faces = max(self.most_faces, len(detections))
        if not search or (near is not None and not np.isfinite(near[0, 0])):
            return None
        if near is not None:
            tip = near[_TIP, :2]
            detections = sorted(detections, key=lambda d: float(np.linalg.norm(d.keypoints[2] - tip)))
        else:
            detections = sorted(detections, key=lambda d: d.box[0] - d.box[2])
        for detection in detections[:2]:
            # The second fit starts from landmarks, as every later frame does.
            points = self._accept(frame, self._models.roi_from_detection(detection), near)
            points = None if points is None else self._accept(frame, self._models.roi_from_landmarks(points), near)
            if points is not None:
                return points
        return None


def _apart(points: np.ndarray, other: np.ndarray | None) -> float:
    """Distance to the other version's face, in its outer-eye distances; 0 where there is none to compare with."""
    if other is None or not np.isfinite(other[0, 0]):
        return 0.0
    right, left = OUTER_EYE_CORNERS
    scale = float(np.linalg.norm(other[right, :2] - other[left, :2]))
    return float(np.linalg.norm(points[_TIP, :2] - other[_TIP, :2])) / scale
