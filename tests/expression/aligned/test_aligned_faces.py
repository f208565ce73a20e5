"""Crops, alignment, masks and blending of NED and SSERD against goldens of the published code."""

from __future__ import annotations

import numpy as np
from ned_material import assert_bytes, assert_close, boxes, face_pixels, golden, img, img_bytes, sampled

from thfem_core.expression.aligned.blend import blended_crop, face_mask, resized_to_box, soft_erosion
from thfem_core.expression.aligned.crop import crop_box, detector_boxes, face_crop, smooth_boxes
from thfem_core.expression.aligned.similarity import (
    MESH_68,
    TEMPLATE_68,
    aligned_face,
    similarity,
    transformed,
    unaligned_face,
    warped,
)
from thfem_core.face.mesh.canonical import canonical_mesh

FACE = img_bytes(img(3, 256, 256))
FRAME = img_bytes(img(3, 480, 640))


def test_boxes_and_crop() -> None:
    stored, given = golden("pipeline"), boxes()
    given[[0, 12, 59]] = np.nan
    smooth = smooth_boxes(given, np.array([140.0, 95.0, 300.0, 285.0]))
    np.testing.assert_allclose(smooth, stored["box_smooth"], atol=1e-9)
    found = [crop_box(smooth[frame], 640, 480) for frame in (0, 20, 59)]
    np.testing.assert_array_equal(found, stored["box_int"])
    # torch and Pillow may round a byte differently
    assert_bytes(sampled(face_crop(FRAME, found[1]), stored, "box_crop"), stored["box_crop_slice"])


def test_missing_boxes_are_the_next_found_or_the_last() -> None:
    given = np.full((3, 4), np.nan)
    before = np.array([0.0, 0.0, 10.0, 20.0])
    np.testing.assert_array_equal(smooth_boxes(given, before)[:, 1::2], [[0, 20]] * 3)
    given[1] = [4, 4, 8, 8]
    np.testing.assert_array_equal(smooth_boxes(given), [[4, 4, 8, 8]] * 3)


def test_similarity_is_the_published_one() -> None:
    stored = golden("pipeline")
    found = similarity(stored["align_lm"], TEMPLATE_68)
    np.testing.assert_allclose(found, stored["align_M"], atol=1e-9)
    points = np.concatenate([TEMPLATE_68[36:48], [(97, 110), (156, 109)]])
    np.testing.assert_allclose(transformed(points, found), stored["pts_aligned"], atol=1e-9)


def test_the_face_mesh_fits_the_template() -> None:
    """Our 68 points stand for NED's: the average face lies on the template within a few pixels of 256."""
    mesh = canonical_mesh()[list(MESH_68), :2].astype(np.float64)
    placed = transformed(mesh, similarity(mesh, TEMPLATE_68))
    assert np.abs(placed - TEMPLATE_68).mean() < 6


def test_a_detector_box_reaches_from_the_forehead_to_the_chin() -> None:
    (box,) = detector_boxes(TEMPLATE_68[None])
    low, high = TEMPLATE_68.min(axis=0), TEMPLATE_68.max(axis=0)
    assert box[1] < low[1] - 0.2 * (high - low)[1]
    np.testing.assert_allclose(box[[0, 2, 3]], [low[0], high[0], high[1]], atol=0.02 * (high - low).max())


def test_masks() -> None:
    stored = golden("pipeline")
    soft, hard = soft_erosion(face_pixels(), 21, 0.6)
    assert_close(sampled(soft[None, None], stored, "erode_soft"), stored["erode_soft_slice"])
    # an average that lies on the threshold may fall on either side
    assert (sampled(hard[None, None], stored, "erode_hard") != stored["erode_hard_slice"]).mean() < 1e-3
    mask = face_mask(face_pixels())
    assert (mask != (stored["mask_final_slice"] > 0)).mean() < 1e-3


def test_without_a_face_pixel_the_mask_before_stands() -> None:
    before = face_pixels()
    assert face_mask(np.zeros((256, 256), bool), before) is before
    assert not face_mask(np.zeros((256, 256), bool)).any()


def test_there_and_back() -> None:
    stored, mask = golden("pipeline"), golden("pipeline")["mask_final_slice"] > 0
    affine = stored["align_M"]
    assert_bytes(sampled(warped(FACE, affine), stored, "warp_raw"), stored["warp_raw_slice"])
    face, moved = aligned_face(FACE, mask, affine)
    assert_bytes(sampled(face, stored, "face_aligned"), stored["face_aligned_slice"])
    assert (sampled(moved.astype(np.uint8) * 255, stored, "mask_aligned") == stored["mask_aligned_slice"]).all()
    back = unaligned_face(face, mask, affine)
    assert_bytes(sampled(back, stored, "face_unaligned"), stored["face_unaligned_slice"])
    blend = blended_crop(FACE / np.float32(255), back / np.float32(255), mask)
    assert_close(sampled(blend, stored, "blend"), stored["blend_slice"], 4e-3)
    box, frame = (93, 56, 350, 314), FRAME[..., ::-1].copy()
    frame[box[1] : box[3], box[0] : box[2]] = resized_to_box(blend, box)
    assert_bytes(sampled(frame, stored, "full_frame"), stored["full_frame_slice"])
    crop = (FRAME[..., ::-1][60:300, 100:400] / 255).astype(np.float32)
    resized = blended_crop(crop, back / np.float32(255), mask)
    assert_close(sampled(resized, stored, "blend_resized"), stored["blend_resized_slice"], 4e-3)


def test_a_face_blended_with_itself_is_itself() -> None:
    crop = FACE / np.float32(255)
    np.testing.assert_allclose(blended_crop(crop, crop, face_pixels()), crop, atol=1e-6)
