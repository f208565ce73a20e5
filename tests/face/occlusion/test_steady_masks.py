from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
from made_up_track import talking_face

from thfem_core.face.occlusion.crop import occlusion_crop
from thfem_core.face.occlusion.parts import PARTS, CoveredParts, left_alone, part_shape
from thfem_core.face.occlusion.steady import SteadyMask

RATE = Fraction(25)
FACE = talking_face(1, angle=0)[0]
POINTS = occlusion_crop(FACE).to_crop(FACE[:, :2], 64)


def run(values: list[float]) -> list[float]:
    mask = SteadyMask(RATE)
    return [float(mask.push(np.full((4, 4), value, np.float32))[0, 0]) for value in values]


def test_what_is_sure_covers_at_once() -> None:
    assert run([0.0, 0.95])[1] > 0.94


def test_one_unsure_frame_covers_nothing() -> None:
    assert max(run([0.0, 0.0, 0.6, 0.0, 0.0])) < 0.5


def test_what_goes_fades_without_a_step() -> None:
    values = run([1.0] * 3 + [0.0] * 12)
    assert all(0 < a - b < 0.45 for a, b in pairwise(values[2:]))
    assert values[-1] < 0.05


def test_a_flickering_mask_stays_up() -> None:
    assert min(run([1.0, 0.3] * 10)) > 0.5


def test_masks_look_back_only() -> None:
    rng = np.random.default_rng(0)
    values = rng.random(30).tolist()
    assert run(values)[:20] == run(values[:20])


def covering(name: str) -> np.ndarray:
    return part_shape(PARTS[name], POINTS, 64).astype(np.float32)


def test_each_part_is_left_alone_when_it_is_mostly_covered() -> None:
    for name in PARTS:
        amounts = CoveredParts(RATE).push(covering(name), POINTS)
        assert amounts[name] == 1.0, "covered from the start: nothing to fade"
        field = left_alone(amounts, 2 * POINTS, 128)
        centre = 2 * POINTS[list(PARTS[name].points)].mean(axis=0)
        assert field[int(centre[1]), int(centre[0])] == 1 and field[[0, -1]].max() == 0


def test_a_free_face_is_edited_as_ever() -> None:
    assert CoveredParts(RATE).push(np.zeros((64, 64), np.float32), POINTS) == {}
    assert set(CoveredParts(RATE).push(covering("mouth"), POINTS)) == {"mouth"}


def test_parts_are_let_go_and_taken_up_over_some_frames() -> None:
    parts, free, covered = CoveredParts(RATE), np.zeros((64, 64), np.float32), covering("mouth")
    amounts = [parts.push(mask, POINTS).get("mouth", 0.0) for mask in [free, *[covered] * 8, *[free] * 24]]
    assert amounts[0] == 0 and amounts[8] == 1 and amounts[-1] == 0
    assert amounts[8 + 12] == 1, "half a second after it came free"
    assert np.abs(np.diff(amounts)).max() <= 1 / 7.5 + 1e-9  # seven and a half frames are 0.3 s


def test_a_part_that_is_half_covered_does_not_flicker() -> None:
    parts = CoveredParts(RATE)
    mouth = covering("mouth")
    rows = np.flatnonzero(mouth.any(axis=1))
    left = []
    for cut in (0.45, 0.6, 0.45, 0.6, 0.45, 0.6, 0.45, 0.6):
        mask = mouth.copy()
        mask[rows[0] + round(cut * len(rows)) :] = 0
        left.append(parts.push(mask, POINTS).get("mouth", 0.0))
    assert left == sorted(left)
