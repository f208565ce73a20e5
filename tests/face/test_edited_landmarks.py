"""Landmarks that an editor hands on to the talking head."""

from __future__ import annotations

import numpy as np

from thfem_core.face.tracking.edited_landmarks import MOST_HELD, EditedLandmarks


def test_a_face_is_taken_once() -> None:
    edited = EditedLandmarks()
    edited.put(3, 7, np.ones((478, 3)))
    assert edited.take(3, 8) is None
    assert edited.take(2, 7) is None
    np.testing.assert_array_equal(edited.take(3, 7), np.ones((478, 3)))
    assert edited.take(3, 7) is None


def test_what_nobody_takes_is_dropped() -> None:
    edited = EditedLandmarks()
    for frame in range(MOST_HELD + 10):
        edited.put(0, frame, np.full((478, 3), frame))
    assert edited.take(0, 9) is None
    assert edited.take(0, 10) is not None
