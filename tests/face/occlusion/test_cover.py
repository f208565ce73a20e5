from __future__ import annotations

import numpy as np
import pytest
from made_up_track import SIZE, talking_face

from thfem_core.face.mesh.flow import dense_warp
from thfem_core.face.mesh.surface import face_surface
from thfem_core.face.occlusion.cover import BORDER, FADE, FIELD, MOTION_FADE, field_over, make_cover
from thfem_core.face.occlusion.crop import SIDE, occlusion_crop
from thfem_core.media.frame import Box

FACE = talking_face(1, angle=0)[0]
CROP = occlusion_crop(FACE)
UNIT = FIELD / SIDE  # samples of a field per face unit


def half_covered() -> np.ndarray:
    """The left half of the square is covered."""
    covered = np.zeros((64, 64), np.float32)
    covered[:, :32] = 1
    return covered


def test_nothing_in_front_is_no_cover() -> None:
    assert make_cover(CROP, np.full((64, 64), 0.4, np.float32)) is None
    assert make_cover(CROP, np.zeros((64, 64), np.float32), np.zeros((FIELD, FIELD), np.float32)) is None


def test_covered_pixels_are_kept_whole_and_both_fields_fade_beyond_them() -> None:
    cover = make_cover(CROP, half_covered())
    assert cover is not None
    row, edge = cover.kept[FIELD // 2], FIELD // 2
    assert (row[:edge] == 1).all() and (cover.still[:, :edge] == 1).all()
    assert row[edge + int((BORDER - 1) * UNIT)] == 1
    assert (row[edge + int((BORDER + FADE + 2) * UNIT) :] == 0).all()
    assert (cover.still[FIELD // 2, edge + int((BORDER + MOTION_FADE + 2) * UNIT) :] == 0).all()
    assert (np.diff(cover.still[FIELD // 2, edge:]) <= 0).all()


def test_over_a_box_what_is_one_stays_one() -> None:
    """However the square is turned and scaled; float32 sums of bilinear weights may miss 1 by their last bits."""
    field = np.ones((FIELD, FIELD), np.float32)
    box = Box(int(CROP.cx) - 20, int(CROP.cy) - 20, int(CROP.cx) + 21, int(CROP.cy) + 17)
    assert (field_over(field, CROP, box) == 1).all()
    assert (field_over(field, CROP, box, (13, 7)) == 1).all()
    far = Box(int(CROP.cx + CROP.side), 0, int(CROP.cx + CROP.side) + 5, 5)
    assert (field_over(field, CROP, far) == 0).all()


def test_a_field_lies_over_the_frame_where_the_square_does() -> None:
    field = np.zeros((FIELD, FIELD), np.float32)
    x, y = (CROP.to_crop(FACE[[1], :2], FIELD)[0]).astype(int)  # tip of the nose
    field[y - 2 : y + 3, x - 2 : x + 3] = 1
    over = field_over(field, CROP, Box(0, 0, SIZE, SIZE))
    rows, columns = np.nonzero(over > 0.5)
    np.testing.assert_allclose([columns.mean() + 0.5, rows.mean() + 0.5], FACE[1, :2], atol=1.5)


@pytest.mark.parametrize("size", [8.0, -8.0])
def test_a_damped_warp_neither_moves_what_covers_nor_fetches_from_under_it(size: float) -> None:
    cover = make_cover(CROP, half_covered())
    assert cover is not None
    shift = np.tile(np.array([[size * CROP.side / SIDE, 0.0]]), (478, 1))
    warp = dense_warp(face_surface(), FACE, shift, None, cell=1.0, frame_size=(SIZE, SIZE))
    assert warp is not None
    damped = cover.damped(warp)
    still = cover.over(cover.still, warp.box, warp.alpha.shape)
    assert (damped.flow[still == 1] == 0).all() and (damped.alpha[still == 1] == 0).all()
    assert np.abs(damped.flow).max() > 0.9 * np.abs(warp.flow).max()
    # places along a row stay in order: nothing folds over, so nothing covered is fetched
    height, width = warp.alpha.shape
    fetched = np.arange(width) * warp.box.width / width + damped.flow[height // 2, :, 0]
    assert (np.diff(fetched) > 0).all()


def test_landmarks_under_cover_keep_none_of_their_motion() -> None:
    cover = make_cover(CROP, half_covered())
    assert cover is not None
    free = cover.free_at(FACE)
    left, right = FACE[:, 0] < CROP.cx - 5, FACE[:, 0] > CROP.cx + (BORDER + MOTION_FADE + 3) * CROP.side / SIDE
    assert free.shape == (478,) and (free[left] < 1e-3).all() and (free[right] > 0.999).all()
