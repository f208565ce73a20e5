"""Anchors, suppression, letterbox and regions: what must hold for any picture."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thfem_core.face.mediapipe.anchors import Candidates, decode
from thfem_core.face.mediapipe.blazeface import SHORT_RANGE
from thfem_core.face.mediapipe.full_range import FULL_RANGE
from thfem_core.face.mediapipe.letterbox import Letterbox
from thfem_core.face.mediapipe.roi import (
    crop,
    landmarks_to_frame,
    roi_from_detection,
    roi_from_landmarks,
    roi_to_frame,
)
from thfem_core.face.mediapipe.suppression import merge_ranges, weighted_nms
from thfem_core.face.models import Detection, FaceRoi
from thfem_core.media.array_frame import ArrayFrame

rois = st.builds(
    FaceRoi,
    cx=st.floats(-80, 400),
    cy=st.floats(-80, 300),
    side=st.floats(5, 500),
    rotation=st.floats(-math.pi, math.pi),
)


def gradient(width: int, height: int) -> np.ndarray:
    """uint8 (height, width, 3) whose first two channels are the pixel's own coordinates (below 256)."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, x * 0], axis=-1).astype(np.uint8)


def as_frame(pixels: np.ndarray) -> ArrayFrame:
    return ArrayFrame(index=0, time=Fraction(0), pixels=pixels)


@pytest.mark.parametrize(("spec", "count"), [(SHORT_RANGE, 896), (FULL_RANGE, 2304)])
def test_anchors_fill_the_input_evenly(spec, count):
    centres = spec.anchor_centres()
    assert centres.shape == (count, 2)
    np.testing.assert_allclose(centres.mean(axis=0), spec.input_side / 2)
    np.testing.assert_allclose(centres[0], spec.anchors[0].stride / 2)


def test_decoding_adds_the_anchor_to_centre_and_keypoints_and_drops_low_scores():
    scores = np.full(896, -4.0, np.float32)
    values = np.zeros((896, 16), np.float32)
    scores[3], values[3, :6] = 2.0, (1, 2, 10, 20, 5, 6)
    found = decode(scores, values, SHORT_RANGE)
    anchor = SHORT_RANGE.anchor_centres()[3]
    np.testing.assert_allclose(found.boxes[0], np.tile(anchor, 2) + np.array([-4, -8, 6, 12]))
    np.testing.assert_allclose(found.keypoints[0, 0], anchor + np.array([5, 6]))
    np.testing.assert_allclose(found.scores, 1 / (1 + math.exp(-2)), rtol=1e-6)


def test_extreme_scores_stay_finite():
    with np.errstate(all="raise"):
        found = decode(np.full(896, 1e6, np.float32), np.zeros((896, 16), np.float32), SHORT_RANGE)
    assert np.all(found.scores == 1)


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(4, 40), st.integers(500, 1000)), max_size=12
    ),
    st.randoms(use_true_random=False),
)
def test_suppression_keeps_one_mean_per_cluster_whatever_the_order(faces, random):
    def candidates(rows):
        boxes = np.array([(x, y, x + s, y + s) for x, y, s, _ in rows], np.float32).reshape(-1, 4)
        keypoints = np.repeat(boxes[:, None, :2], 6, axis=1)
        return Candidates(boxes=boxes, keypoints=keypoints, scores=np.array([r[3] / 1000 for r in rows], np.float32))

    faces = list({row[3]: row for row in faces}.values())  # equal scores have no order of their own
    merged = weighted_nms(candidates(faces))
    assert np.all(np.diff(merged.scores) <= 0)
    assert len(merged.scores) <= len(faces) and (len(merged.scores) > 0) == (len(faces) > 0)
    if faces:
        everything = candidates(faces).boxes
        assert np.all(merged.boxes >= everything.min(axis=0) - 1e-3)
        assert np.all(merged.boxes <= everything.max(axis=0) + 1e-3)
        np.testing.assert_allclose(merged.keypoints[:, 0], merged.boxes[:, :2], atol=1e-3)
    random.shuffle(faces)
    np.testing.assert_allclose(weighted_nms(candidates(faces)).boxes, merged.boxes, atol=1e-3)


def detection(x: float, y: float, size: float, score: float) -> Detection:
    return Detection(box=(x, y, x + size, y + size), keypoints=np.zeros((6, 2), np.float32), score=score)


def test_each_network_is_believed_about_the_faces_it_is_made_for():
    near_large, far_large = detection(100, 100, 400, 0.7), detection(110, 100, 400, 0.9)
    near_small, far_small = detection(700, 100, 60, 0.95), detection(705, 100, 60, 0.65)
    only_near, only_far = detection(900, 500, 50, 0.5), detection(600, 500, 300, 0.8)
    merged = merge_ranges([near_large, near_small, only_near], [far_large, far_small, only_far], 1000)
    assert merged == [only_far, near_large, far_small, only_near]


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_letterbox_maps_its_picture_back_onto_the_whole_frame(width, height):
    box = Letterbox.of(width, height, 128)
    assert max(box.size) == 128 and min(box.size) >= 1
    (left, top), (w, h) = box.offset, box.size
    corners = np.array([[left, top, left + w, top + h]], np.float32)
    found = Candidates(boxes=corners, keypoints=np.zeros((1, 6, 2), np.float32), scores=np.ones(1, np.float32))
    (detection,) = box.detections(found)
    np.testing.assert_allclose(detection.box, (0, 0, width, height), atol=1e-3)


def test_letterbox_has_grey_bars_and_the_full_range_of_values():
    pixels = np.zeros((50, 100, 3), np.uint8)
    pixels[:, 50:] = 255
    picture = Letterbox.of(100, 50, 128).picture(as_frame(pixels))
    assert np.all(picture[:32] == 0) and np.all(picture[96:] == 0)
    assert picture[40, 10, 0] == -1 and picture[40, 120, 0] == 1


def test_region_of_a_detection_turns_with_the_eyes():
    keypoints = np.zeros((6, 2), np.float32)
    keypoints[0], keypoints[1] = (40, 40), (60, 60)
    roi = roi_from_detection(Detection(box=(30, 20, 70, 80), keypoints=keypoints, score=1.0))
    assert (roi.cx, roi.cy, roi.side) == (50, 50, 90)
    assert roi.rotation == pytest.approx(math.pi / 4)


def test_region_of_landmarks_holds_them_all():
    landmarks = np.tile(np.float32([50, 60, 0]), (478, 1))
    landmarks[33, :2], landmarks[263, :2], landmarks[152, :2] = (30, 50), (70, 50), (50, 100)
    roi = roi_from_landmarks(landmarks)
    assert (roi.cx, roi.cy, roi.side, roi.rotation) == (50, 75, 75, 0)


@given(rois)
@settings(deadline=None)
def test_crop_shows_the_pixels_that_the_map_says(roi):
    picture = crop(as_frame(gradient(255, 200)), roi, 64).astype(np.float64)
    y, x = np.mgrid[:64, :64] + 0.5
    expected = np.stack([x, y], axis=-1) @ roi_to_frame(roi, 64)[:, :2].T + roi_to_frame(roi, 64)[:, 2] - 0.5
    expected = np.clip(expected, 0, (254, 199))  # edge pixels repeat
    assert np.abs(picture[..., :2] - expected).max() <= 0.5 + roi.side / 64 / 16


@given(rois)
def test_landmarks_go_back_through_the_same_map(roi):
    corner_and_centre = np.array([[0, 0, 0], [96, 96, 192]], np.float32)
    back = landmarks_to_frame(corner_and_centre, roi, 192)
    np.testing.assert_allclose(back[1], (roi.cx, roi.cy, roi.side), rtol=1e-5, atol=1e-3)
    assert np.linalg.norm(back[0, :2] - back[1, :2]) == pytest.approx(roi.side / math.sqrt(2), rel=1e-4)
