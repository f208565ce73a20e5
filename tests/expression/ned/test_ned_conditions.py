"""FLAME, the rasteriser and NED's condition pictures against goldens of the published code, on a made-up head."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from liveportrait_material import wave
from ned_material import HeadPose, assert_bytes, assert_close, golden, head_model, img, img_bytes, sampled

from thfem_core.expression.aligned.similarity import TEMPLATE_68
from thfem_core.expression.ned.conditions import (
    DetailMaps,
    condition_pictures,
    eye_picture,
    eye_points,
    stacked_conditions,
    uv_normals,
)
from thfem_core.expression.ned.deca_crop import deca_crop, deca_map, from_deca
from thfem_core.expression.ned.flame import (
    contour_row,
    head_landmarks,
    head_vertices,
    projected,
    rotation_matrices,
    vertex_normals,
)
from thfem_core.expression.ned.rasterizer import rasterize

EYES = np.concatenate([TEMPLATE_68[36:48], [(97, 110), (156, 109)]])


@pytest.fixture(scope="module")
def head() -> tuple[torch.Tensor, torch.Tensor]:
    """Vertices, and the same in the picture."""
    vertices = head_vertices(head_model(), HeadPose.shape, HeadPose.expression, HeadPose.pose)
    return vertices, projected(vertices, HeadPose.camera)


def test_flame(head) -> None:
    stored, model, (vertices, seen) = golden("pipeline"), head_model(), head
    rotations = rotation_matrices(torch.tensor([[0.3, -0.2, 0.5], [0.0, 0.0, 0.0]]))
    assert_close(rotations, stored["rodrigues"], 1e-5)
    assert_close(vertices, stored["flame_verts"], 1e-5)
    assert_close(seen, stored["flame_trans_verts"], 1e-5)
    landmarks = projected(head_landmarks(model, vertices, HeadPose.pose), HeadPose.camera)
    assert_close(landmarks[..., :2], stored["flame_lm2d"], 1e-5)
    assert_close(vertex_normals(vertices, model.faces), stored["normals"], 1e-5)


def test_the_contour_follows_the_yaw() -> None:
    turned = rotation_matrices(torch.tensor([[0.0, yaw, 0.0] for yaw in (-1.2, -0.3, 0.0, 0.3, 1.2)]))
    np.testing.assert_array_equal(contour_row(turned), golden("pipeline")["dyn_row"])


def test_rasterizer(head) -> None:
    stored, raster = golden("pipeline"), rasterize(head[1][0], head_model().faces, 40)
    np.testing.assert_array_equal(raster.face, stored["pix_to_face"])
    assert_close(raster.weights[::2, ::2], np.maximum(stored["bary"], 0))


def test_of_two_triangles_the_nearer_is_shown() -> None:
    square = torch.tensor([[-1.0, -1, 0], [1, -1, 0], [-1, 1, 0], [-1, -1, -1], [1, -1, -1], [-1, 1, -1]])
    for faces, nearer in (([[0, 1, 2], [3, 4, 5]], 1), ([[3, 4, 5], [0, 1, 2]], 0)):
        raster = rasterize(square, torch.tensor(faces), 8)
        assert set(raster.face.unique().tolist()) == {-1, nearer}


def test_condition_pictures(head) -> None:
    stored, model, (vertices, seen) = golden("pipeline"), head_model(), head
    maps = DetailMaps(mask=HeadPose.mask, displacement=HeadPose.displacement)
    normals = vertex_normals(vertices, model.faces)[0]
    skin = uv_normals(model, vertices[0], normals, HeadPose.detail, maps)
    assert_close(skin.permute(2, 0, 1), stored["uv_normals"][0])
    nmfc, smooth = condition_pictures(model, vertices[0], seen[0], side=40)
    assert_close(nmfc.permute(2, 0, 1), stored["nmfc"][0])
    assert_close(smooth.permute(2, 0, 1), stored["shape_plain"][0])
    _, detailed = condition_pictures(model, vertices[0], seen[0], detail=HeadPose.detail, maps=maps, side=40)
    assert_close(detailed.permute(2, 0, 1), stored["shape_detail"][0])


def test_decas_crop_there_and_back() -> None:
    stored, turn = golden("pipeline"), 0.12
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    landmarks = 1.07 * (TEMPLATE_68 - 128) @ rotation.T + 128 + np.array([4, -7])
    to_deca = deca_map(landmarks)
    assert_close(to_deca, stored["deca_tform"], 1e-9)
    picture = deca_crop(img_bytes(img(3, 256, 256)), to_deca).transpose(2, 0, 1)
    # OpenCV's bilinear weights are multiples of 1/32
    assert_close(sampled(picture, stored, "deca_in"), stored["deca_in_slice"], 1e-3)
    back = from_deca(img(3, 224, 224).permute(1, 2, 0).numpy(), to_deca)[..., ::-1]
    assert_bytes(sampled(back, stored, "frame_warp_round"), stored["frame_warp_round_slice"])
    moved = eye_points(wave((68, 2), 0, 0.6), to_deca, EYES)
    np.testing.assert_array_equal(moved, stored["eye_transfer"])


def test_eyes_and_the_stack() -> None:
    stored = golden("pipeline")
    eyes = eye_picture(stored["pts_aligned"])
    np.testing.assert_array_equal(eyes[..., 0], stored["eye_image_slice"])
    assert not eyes[..., 1:].any()
    mask = np.repeat(np.repeat(stored["mask_aligned_slice"] > 0, 2, axis=0), 2, axis=1)
    nmfc, shape = (img_bytes(img(3, 256, 256).flip(axis)) for axis in (1, 2))
    stack = stacked_conditions(nmfc, eyes, shape, mask)
    assert_close(stack[:, ::8, ::8], stored["cond_slice"])
