from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_scene import HEIGHT, WIDTH, Face, Scene, SceneModels, background, seen_in

from thfem_core.errors import InputError
from thfem_core.face.blend import feathered_mask, place_crop
from thfem_core.face.crop import CropConfig, CropPath, FaceCrop, crop_frame
from thfem_core.face.tracking.tracker import track_faces
from thfem_core.media.array_frame import ArrayFrame


def frame_of(pixels: np.ndarray) -> ArrayFrame:
    return ArrayFrame(index=0, time=Fraction(0), pixels=pixels)


crops = st.builds(
    FaceCrop,
    cx=st.floats(20, WIDTH - 20),
    cy=st.floats(20, HEIGHT - 20),
    side=st.floats(20, 200),
    rotation=st.floats(-1.5, 1.5),
)


@settings(max_examples=40, deadline=None)
@given(crop=crops, size=st.integers(32, 256))
def test_points_go_both_ways(crop, size):
    points = np.array([[0.0, 0.0], [size / 2, size / 2], [size, 3.0]])
    np.testing.assert_allclose(crop.to_crop(crop.to_frame(points, size), size), points, atol=1e-6)
    np.testing.assert_allclose(crop.to_frame(points, size)[1], (crop.cx, crop.cy), atol=1e-6)


def test_an_unscaled_upright_crop_is_the_frame_itself():
    picture = background(3)
    crop = FaceCrop(cx=100, cy=80, side=64)
    np.testing.assert_array_equal(crop_frame(frame_of(picture), crop, 64), picture[48:112, 68:132])


def test_rotation_is_clockwise_on_screen():
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    # A head turned a quarter clockwise has its top at the right.
    cv2.circle(picture, (130, 80), 4, (255, 255, 255), -1)
    upright = crop_frame(frame_of(picture), FaceCrop(cx=100, cy=80, side=80, rotation=np.pi / 2), 80)
    y, x = np.argwhere(upright[..., 0] > 128).mean(axis=0)
    np.testing.assert_allclose((x + 0.5, y + 0.5), (40 + 0.5, 40 - 30.5), atol=0.3)


def pasted(frame, crop, drawn, mask):
    return frame.paste(*place_crop(frame, crop, drawn, mask))


@pytest.mark.parametrize("size", [48, 160])
def test_shrinking_and_enlarging_keep_the_picture_in_place(size):
    picture = background(5)
    crop = FaceCrop(cx=150.3, cy=90.7, side=120, rotation=0.3)
    there = crop_frame(frame_of(picture), crop, size)
    back = pasted(frame_of(picture), crop, there, np.ones((size, size), np.float32))
    assert np.abs(back.pixels.astype(int) - picture).mean() < 1.0


@settings(max_examples=25, deadline=None)
@given(crop=crops, size=st.sampled_from([64, 128]), feather=st.floats(1, 20))
def test_pixels_beyond_the_mask_are_bit_identical(crop, size, feather):
    picture = background(4)
    corners = np.array([[0.2, 0.2], [0.8, 0.3], [0.7, 0.9], [0.3, 0.8]]) * size
    mask = feathered_mask(corners, size, feather=feather)
    out = pasted(frame_of(picture), crop, np.full((size, size, 3), 7, np.uint8), mask).pixels
    outside = np.ones((HEIGHT, WIDTH), np.uint8)
    hull = crop.to_frame(corners, size) - 0.5
    cv2.fillConvexPoly(outside, np.rint(hull).astype(np.int32), 0)
    # One mask pixel of interpolation around the polygon, its diagonal where it is turned, in frame pixels, and the
    # polygon's own rounding.
    reach = int(np.ceil(np.sqrt(2) * crop.side / size)) + 1
    far = cv2.erode(outside, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8), borderValue=1).astype(bool)
    np.testing.assert_array_equal(out[far], picture[far])
    middle = crop.to_frame(np.array([[0.5, 0.55]]) * size, size)[0].astype(int)
    if feather < 0.2 * size and 0 <= middle[0] < WIDTH and 0 <= middle[1] < HEIGHT:
        assert abs(int(out[middle[1], middle[0], 0]) - 7) <= 1


def test_an_empty_mask_gives_the_same_frame():
    frame = frame_of(background(1))
    crop = FaceCrop(cx=100, cy=80, side=64)
    assert place_crop(frame, crop, np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.float32)) is None


def test_mask_is_zero_at_the_crops_border_and_one_inside():
    mask = feathered_mask(np.array([[-20.0, -20], [120, -20], [120, 120], [-20, 120]]), 100, feather=10)
    assert mask[[0, -1]].max() < 0.1 and mask[:, [0, -1]].max() < 0.1
    assert mask[20:80, 20:80].min() == 1.0
    assert (np.diff(mask[50, :50]) >= 0).all()


def path_of(motion, count=120, **config):
    scene = Scene([motion], count=count, noise=0.3)
    (track,) = track_faces(scene, models=SceneModels(scene)).tracks
    return track, CropPath(track, frame_rate=Fraction(25), config=CropConfig(**config))


def test_crop_holds_the_face_and_moves_steadily():
    rng = np.random.default_rng(0)
    jump = rng.normal(0, 1.5, (120, 2))
    track, path = path_of(lambda f: Face(100 + f + jump[f, 0], 80 + jump[f, 1], yaw=20 * np.sin(f / 15)))
    crops = path.at(0, 120)
    landmarks = track.samples(0, 120).landmarks
    for crop, points in zip(crops, landmarks, strict=True):
        inside = crop.to_crop(points[:, :2], 100)
        assert inside.min() >= 100 * (1 - 1 / 1.3) / 2 - 1e-3 and inside.max() <= 100 - 100 * (1 - 1 / 1.3) / 2 + 1e-3
        assert crop.side == path.side
    centres = np.array([(c.cx, c.cy) for c in crops])
    noses = landmarks[:, 168, :2]
    assert np.diff(centres, n=2, axis=0).std() < 0.1 * np.diff(noses, n=2, axis=0).std()


def test_crops_do_not_depend_on_the_window_asked_for():
    _, path = path_of(lambda f: Face(100 + f, 80, yaw=f / 4))
    whole = path.at(0, 120)
    assert path.at(50, 70) == whole[50:70] and path.at(119, 122) == [whole[119], None, None]


def test_no_crop_where_nobody_is():
    motion = seen_in(lambda f: Face(120, 80), range(10, 40), range(70, 100))
    _, path = path_of(motion)
    crops = path.at(0, 120)
    assert [c is None for c in crops] == [not (10 <= f < 40 or 70 <= f < 100) for f in range(120)]


def test_config_and_position_faults_are_named():
    with pytest.raises(InputError, match="margin"):
        CropConfig(margin=0.5)
    with pytest.raises(ValueError, match="outside"):
        crop_frame(frame_of(background(0)), FaceCrop(cx=-500, cy=0, side=50), 32)
