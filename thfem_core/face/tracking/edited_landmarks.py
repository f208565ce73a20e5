"""Landmarks of edited faces, from an editor that knows where it moved them to a talking head that needs them."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import numpy as np

MOST_HELD = 512  # faces: far more than the queues between the stages of an edit


class EditedLandmarks:
    """A table that one stage of an edit fills and a later stage empties, each in a thread of its own.

    What nobody takes is dropped after :data:`MOST_HELD` more faces, so that memory does not grow.
    """

    def __init__(self) -> None:
        self._landmarks: OrderedDict[tuple[int, int], np.ndarray] = OrderedDict()
        self._lock = Lock()

    def put(self, track_id: int, frame: int, landmarks: np.ndarray) -> None:
        """Hand on a face, before its frame is handed on.

        Args:
            track_id: Of the face.
            frame: Number of the frame.
            landmarks: (478, 3) as the edited frame shows them, in the convention of :mod:`.track`.
        """
        with self._lock:
            self._landmarks[track_id, frame] = landmarks
            if len(self._landmarks) > MOST_HELD:
                self._landmarks.popitem(last=False)

    def take(self, track_id: int, frame: int) -> np.ndarray | None:
        """Get a face, once.

        Args:
            track_id: Of the face.
            frame: Number of the frame.

        Returns:
            (478, 3) landmarks, or None where nobody knows them: then a mesh has to be fitted.
        """
        with self._lock:
            return self._landmarks.pop((track_id, frame), None)
