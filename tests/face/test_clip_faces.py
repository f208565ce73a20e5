from __future__ import annotations

import pytest
from synthetic_scene import Scene, SceneModels, seen_in, still

from thfem_core.errors import InputError
from thfem_core.face.tracking.tracker import track_faces


def faces_of(people, **scene):
    clip = Scene(people, **scene)
    return track_faces(clip, models=SceneModels(clip))


@pytest.fixture(scope="module")
def two_shots():
    """Shot 0: small face at the left all the time, large at the right. Shot 1: one face."""
    return faces_of(
        [
            seen_in(still(230, scale=0.5), range(40)),
            seen_in(still(60, scale=0.25), range(40)),
            seen_in(still(120, scale=0.3), range(40, 70)),
        ],
        count=70,
        shots=[40],
    )


def xs(tracks):
    return [round(t.x) for t in tracks]


def test_orders_and_largest_are_per_shot(two_shots):
    assert xs(two_shots.select(0)) == [60, 120]
    assert xs(two_shots.select(1)) == [230]
    assert xs(two_shots.select(0, order="size")) == [230, 120] == xs(two_shots.select("largest"))
    assert xs(two_shots.select("all")) == [60, 230, 120]
    assert xs(two_shots.select("all", order="size")) == [230, 60, 120]


def test_missing_frames_are_where_no_chosen_face_shows(two_shots):
    assert two_shots.missing_frames(two_shots.select("largest")) == []
    assert two_shots.missing_frames(two_shots.select(1)) == [range(40, 70)]
    assert two_shots.missing_frames([]) == [range(70)]


@pytest.mark.parametrize(
    ("choice", "order", "message"),
    [
        (3, "left-right", "face 3 does not exist; this clip has faces 0–1"),
        (-1, "size", "face -1 does not exist; this clip has faces 0–1"),
        ("biggest", "size", "unknown face choice 'biggest'; give largest, all, or a number from 0 to 1"),
        (0, "top-down", "unknown face order 'top-down'; choose one of: left-right, size"),
    ],
)
def test_wrong_choices_say_what_exists(two_shots, choice, order, message):
    with pytest.raises(InputError) as error:
        two_shots.select(choice, order=order)
    assert str(error.value) == message


def test_no_face_is_a_one_line_error_only_when_one_is_asked_for():
    nobody = faces_of([])
    assert nobody.tracks == () and nobody.missing_frames([]) == [range(60)]
    with pytest.raises(InputError, match=r"^no face found in scene\.mp4; [^\n]+$"):
        nobody.select("largest")


def test_flickering_false_alarms_are_not_counted():
    faces = faces_of([still(160), seen_in(still(40), range(16, 18))])
    assert len(faces.tracks) == 2
    assert xs(faces.select("all")) == [160]
    with pytest.raises(InputError, match="only face 0"):
        faces.select(1)
