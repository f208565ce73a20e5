"""Seams: a hard border is measured in gray levels, a feathered one is not; far pixels count only when far."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_face import talking_face

from thfem_core.errors import InputError
from thfem_core.face.mesh.topology import FACE_OVAL
from thfem_core.metrics.seam import outside_face_difference, seam_step
from thfem_core.metrics.sharpness import sharpness_ratio

FACE = talking_face(1)[0]


def picture(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(60, 180, (256, 256, 3)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2.0)


def patched(image: np.ndarray, offset: float, *, ring: float, feather: float) -> np.ndarray:
    """The image with the inside of a scaled face oval brightened, its border blurred by ``feather`` pixels."""
    oval = FACE[list(FACE_OVAL), :2]
    oval = oval.mean(axis=0) + ring * (oval - oval.mean(axis=0))
    mask = np.zeros(image.shape[:2], np.float32)
    cv2.fillPoly(mask, [np.round(oval - 0.5).astype(np.int32)], 1.0)
    if feather:
        mask = cv2.GaussianBlur(mask, (0, 0), feather)
    return np.clip(np.rint(image + offset * mask[..., None]), 0, 255).astype(np.uint8)


def test_an_unchanged_frame_has_no_seam_and_no_difference() -> None:
    assert seam_step(picture(), picture(), FACE) == 0.0
    assert outside_face_difference(picture(), picture(), FACE) == 0.0


@settings(max_examples=15, deadline=None)
@given(offset=st.integers(6, 40), ring=st.sampled_from([0.9, 1.0, 1.15]))
def test_a_hard_border_measures_its_height_in_gray_levels(offset: int, ring: float) -> None:
    found = seam_step(picture(), patched(picture(), offset, ring=ring, feather=0), FACE)
    assert found == pytest.approx(offset, rel=0.15)


def test_feathering_hides_the_border() -> None:
    hard, soft = (seam_step(picture(), patched(picture(), 20, ring=1.0, feather=f), FACE) for f in (0.0, 12.0))
    assert soft < 0.25 * hard


def test_texture_that_moves_by_a_pixel_is_no_seam() -> None:
    moved = np.roll(picture(), 1, axis=1)
    assert seam_step(picture(), moved, FACE) < 2.0


def test_only_pixels_far_from_the_face_count_as_outside() -> None:
    near = patched(picture(), 30, ring=1.3, feather=0)
    assert outside_face_difference(picture(), near, FACE, margin=1.4) == 0.0
    assert outside_face_difference(picture(), near, FACE, margin=1.1) > 1.0
    assert np.isnan(outside_face_difference(picture(), near, FACE, margin=10.0))


def test_pictures_of_different_size_are_refused() -> None:
    with pytest.raises(InputError, match="one size"):
        seam_step(picture(), picture()[:100], FACE)
    with pytest.raises(InputError, match="one size"):
        outside_face_difference(picture(), picture().astype(np.float32), FACE)


def test_blur_takes_sharpness_inside_the_face_only() -> None:
    image = np.random.default_rng(5).integers(0, 255, (256, 256, 3)).astype(np.uint8)
    assert sharpness_ratio(image, image, FACE) == pytest.approx(1.0)
    blurred = [cv2.GaussianBlur(image, (0, 0), sigma) for sigma in (1.0, 3.0)]
    mild, strong = (sharpness_ratio(image, picture, FACE) for picture in blurred)
    assert strong < mild < 0.5
    outside = image.copy()
    outside[:30] = blurred[1][:30]
    assert sharpness_ratio(image, outside, FACE) == pytest.approx(1.0)
    assert np.isnan(sharpness_ratio(image, image, FACE - 900.0))
    assert np.isnan(sharpness_ratio(np.full_like(image, 9), image, FACE))
