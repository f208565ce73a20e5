from __future__ import annotations

import numpy as np
import pytest
from synthetic_scene import HEIGHT, WIDTH, Scene, SceneModels, seen_in, still

from thfem_core.face.preview import face_numbers, numbered_preview
from thfem_core.face.tracking.tracker import track_faces


def tracked(scene):
    return track_faces(scene, models=SceneModels(scene))


@pytest.fixture(scope="module")
def shots():
    """Shot 0: two people, the right one only for a while. Shot 1: one, shot 2: nobody."""
    scene = Scene(
        [seen_in(still(80), range(30)), seen_in(still(230), range(12, 20)), seen_in(still(160), range(30, 60))],
        count=90,
        shots=[30, 60],
    )
    return scene, tracked(scene)


def changed(picture, original):
    return (picture != original).any(axis=-1)


def test_numbers_are_those_that_select(shots):
    _, faces = shots
    for order in ("left-right", "size"):
        numbers = face_numbers(faces, order)
        assert set(numbers) == {0, 1, 2}
        for track_id, number in numbers.items():
            assert track_id in {t.track_id for t in faces.select(number, order=order)}


def test_one_tile_per_shot_with_faces_each_showing_most_of_them(shots):
    scene, faces = shots
    sheet = numbered_preview(scene, faces)
    assert sheet.dtype == np.uint8 and max(sheet.shape[:2]) <= 1280
    assert sheet.shape[:2] in {(2 * HEIGHT, WIDTH), (HEIGHT, 2 * WIDTH)}
    tiles = [sheet[:HEIGHT, :WIDTH], sheet[-HEIGHT:, -WIDTH:]]
    first, second = changed(tiles[0], scene.picture(0)), changed(tiles[1], scene.picture(30))
    assert first[:, 50:110].any() and first[:, 200:260].any(), "both faces of the first shot are marked"
    assert second[:, 130:190].any() and not second[:, :100].any()


def test_chosen_faces_differ_from_the_others(shots):
    scene, faces = shots
    plain = numbered_preview(scene, faces)
    chosen = numbered_preview(scene, faces, chosen=faces.select(1))
    green = (np.array(chosen) == (64, 220, 96)).all(axis=-1)
    assert (plain != chosen).any()
    assert green[:HEIGHT, 180:WIDTH].any() and not green[:HEIGHT, :150].any()


@pytest.mark.parametrize("max_side", [64, 200, 1280])
def test_size_limit_holds(shots, max_side):
    scene, faces = shots
    assert max(numbered_preview(scene, faces, max_side=max_side).shape[:2]) <= max_side


def test_without_faces_the_middle_frame_is_shown():
    scene = Scene([], count=20)
    np.testing.assert_array_equal(numbered_preview(scene, tracked(scene)), scene.picture(10))
