"""Pairs by number or by time, ticks at another rate, and the face-recognition crop."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thfem_core.face.mesh.alignment import similarity
from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.media.array_video import ArrayVideo
from thfem_core.metrics.judges.crops import ARCFACE_TEMPLATE, arcface_square, upright_square
from thfem_core.metrics.pairing import FramePairs, at_rate

GOLDENS = np.load(Path(__file__).with_name("goldens.npz"))


def counting(count: int, rate: Fraction | int, name: str = "clip", width: int = 12) -> ArrayVideo:
    """Frame i is all i."""
    frames = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 8, width, 3))
    return ArrayVideo(np.ascontiguousarray(frames), Fraction(rate), name)


def numbers(pairs: FramePairs) -> list[tuple[int, int]]:
    return [(a.index, b.index) for a, b in pairs]


def test_clips_of_one_rate_pair_frame_by_frame_and_the_rest_is_noted() -> None:
    pairs = FramePairs(counting(7, 25, "a"), counting(5, 25, "b"))
    assert numbers(pairs) == [(i, i) for i in range(5)]
    assert pairs.notes() == ["a is longer; the first 5 frames of b were compared"]
    assert numbers(pairs) == [(i, i) for i in range(5)], "a second pass must give the same"
    same = FramePairs(counting(5, 25), counting(5, 25))
    assert len(numbers(same)) == 5 and same.notes() == []


@given(
    source=st.sampled_from([Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60)]),
    output=st.sampled_from([Fraction(24000, 1001), Fraction(25), Fraction(30), Fraction(50)]),
)
@settings(max_examples=12, deadline=None)
def test_other_rates_pair_by_time(source: Fraction, output: Fraction) -> None:
    pairs = FramePairs(counting(int(2 * source), source, "a"), counting(int(2 * output), output, "b"))
    found = numbers(pairs)
    assert len(found) >= int(2 * output) - 2
    for a, b in found:
        middle = (b + Fraction(1, 2)) / output
        assert a / source < middle and (a == int(2 * source) - 1 or middle <= (a + 1) / source)
    assert any("paired by time" in line for line in pairs.notes()) == (source != output)


def test_clips_of_other_size_are_noted() -> None:
    pairs = FramePairs(counting(3, 25, "a"), counting(3, 25, "b", width=20))
    list(pairs)
    assert pairs.notes() == ["a is 12×8 and b 20×8; measures that compare pixels are left out"]


@given(rate=st.fractions(min_value=5, max_value=120, max_denominator=1001), count=st.integers(1, 60))
@settings(max_examples=40, deadline=None)
def test_ticks_show_the_item_nearest_in_time(rate: Fraction, count: int) -> None:
    shown = list(at_rate(((i / rate, i) for i in range(count)), 25))
    assert shown[-1] == count - 1 and shown == sorted(shown)
    assert rate > 50 or shown[0] == 0
    for tick, item in enumerate(shown[:-1]):
        assert abs(Fraction(tick, 25) - item / rate) <= Fraction(1, 50) + 1 / rate
    assert list(at_rate(((Fraction(i, 25), i) for i in range(count)), 25)) == list(range(count))


def test_the_five_point_alignment_is_the_published_one() -> None:
    matrix, offset = similarity(
        GOLDENS["align5.landmarks"][None].astype(np.float64), GOLDENS["align5.template112"][None].astype(np.float64)
    )
    found = np.hstack([matrix[0], offset[0, :, None]])
    np.testing.assert_allclose(found, GOLDENS["align5.M"], atol=1e-5 * np.abs(GOLDENS["align5.M"]).max())
    np.testing.assert_allclose(ARCFACE_TEMPLATE, GOLDENS["align5.template112"], atol=1e-4)


@pytest.mark.parametrize("cut", [arcface_square, lambda rgb, points: upright_square(rgb, points, 96, scale=1.2)])
def test_crops_do_not_see_where_in_the_frame_the_face_is(cut) -> None:
    mesh = canonical_mesh()
    face = (mesh - mesh.mean(axis=0)) * 110 / np.ptp(mesh[:, 1]) + 128
    texture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (256, 256, 3)).astype(np.uint8), (0, 0), 6)
    turned = cv2.getRotationMatrix2D((128, 128), 20, 1.0)
    canvas = cv2.warpAffine(texture, turned, (256, 256), borderMode=cv2.BORDER_REPLICATE)
    elsewhere = face.copy()
    elsewhere[:, :2] = (face[:, :2] - 0.5) @ turned[:, :2].T + turned[:, 2] + 0.5
    before, after = cut(texture, face), cut(canvas, elsewhere)
    assert before.shape == after.shape and before.shape[0] == before.shape[1]
    assert np.abs(before.astype(int) - after).mean() < 2
