"""Unsmoothed landmarks of finished frames, fitted anew: what the measures look at."""

from __future__ import annotations

import numpy as np

from thfem_core.face.models import FaceModels
from thfem_core.media.frame import Frame

MIN_PRESENCE = 0.5
_TIP = 4  # of the nose


class RawLandmarks:
    """Follows one face frame by frame without smoothing or interpolation.

    near: landmarks (T, 478, 3) of the same frames in another version of the clip; the face closest to them is the one
    followed. Without it, the largest face is.
    """

    def __init__(self, models: FaceModels, near: np.ndarray | None = None) -> None:
        self._models, self._near = models, near
        self._last: np.ndarray | None = None

    def fit(self, frame: Frame) -> np.ndarray:
        """(478, 3) float32 in pixels of the frame; NaN without a face."""
        points = None
        if self._last is not None:
            points = self._accept(frame, self._models.roi_from_landmarks(self._last))
        if points is None:
            points = self._find(frame)
        self._last = points
        return np.full((478, 3), np.nan, np.float32) if points is None else points

    def _accept(self, frame: Frame, roi) -> np.ndarray | None:
        (fit,) = self._models.fit(frame, [roi])
        if fit.presence < MIN_PRESENCE or self._apart(frame, fit.landmarks) > 0.5:
            return None
        return fit.landmarks

    def _find(self, frame: Frame) -> np.ndarray | None:
        if self._near is not None and not np.isfinite(self._near[frame.index, 0, 0]):
            return None
        detections = self._models.detect(frame)
        if self._near is not None:
            tip = self._near[frame.index, _TIP, :2]
            detections = sorted(detections, key=lambda d: float(np.linalg.norm(d.keypoints[2] - tip)))
        else:
            detections = sorted(detections, key=lambda d: d.box[0] - d.box[2])
        for detection in detections[:2]:
            # The second fit starts from landmarks, as every later frame does.
            points = self._accept(frame, self._models.roi_from_detection(detection))
            points = None if points is None else self._accept(frame, self._models.roi_from_landmarks(points))
            if points is not None:
                return points
        return None

    def _apart(self, frame: Frame, points: np.ndarray) -> float:
        """Distance to the other version's face, in its outer-eye distances; 0 where there is none to compare with."""
        if self._near is None or not np.isfinite(self._near[frame.index, 0, 0]):
            return 0.0
        other = self._near[frame.index]
        scale = float(np.linalg.norm(other[33, :2] - other[263, :2]))
        return float(np.linalg.norm(points[_TIP, :2] - other[_TIP, :2])) / scale
