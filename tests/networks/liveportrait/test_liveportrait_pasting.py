"""LivePortrait's crop and paste-back against goldens, and difference rendering."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
from liveportrait_material import golden, picture, source_picture

from thfem_core.expression.liveportrait.driving import opening
from thfem_core.face.crop import FaceCrop, crop_frame, pixel_matrix
from thfem_core.face.tracking.track import FaceSamples
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.networks.liveportrait.crop import CropPath, face_square, mesh_square
from thfem_core.networks.liveportrait.pasting import border_mask, paste_difference, paste_plain

GEOMETRY, PIPELINE = golden("liveportrait_geometry"), golden("liveportrait_pipeline")
POINTS = GEOMETRY["pts203"].astype(np.float64)
EYES_203, LIPS_203 = ([0, 6, 12, 18], [24, 30, 36, 42]), [48, 66]


def mesh_points() -> np.ndarray:
    """(478, 2): a filled ellipse, turned."""
    k = np.arange(478)
    r = 0.2 + 0.8 * ((37 * k) % 100) / 99
    u, v = 85 * r * np.cos(0.31 * k), 110 * r * np.sin(0.31 * k)
    for i, (a, b) in {468: (-38, -35), 473: (38, -33), 14: (2, 48)}.items():
        u[i], v[i] = a, b
    c, s = np.cos(0.2), np.sin(0.2)
    return np.stack([330 + u * c - v * s, 250 + u * s + v * c], axis=1)


def crop_of(square: np.ndarray) -> FaceCrop:
    cx, cy, side, rotation = map(float, square)
    return FaceCrop(cx=cx, cy=cy, side=side, rotation=rotation)


def indexed(matrix: np.ndarray, size: int) -> FaceCrop:
    """Our crop, whose pixel centres lie at 0.5, for a matrix between pixel indices, frame → crop."""
    k = np.hypot(matrix[0, 0], matrix[0, 1])
    inverse = np.linalg.inv(matrix)
    cx, cy = (inverse @ (size / 2 - 0.5, size / 2 - 0.5, 1))[:2] + 0.5
    return FaceCrop(cx=cx, cy=cy, side=size / k, rotation=np.arctan2(matrix[0, 1], matrix[0, 0]))


@pytest.mark.parametrize(
    ("name", "size", "scale", "lift"),
    [("source", 512, 2.3, -0.125), ("driving", 512, 2.2, -0.1), ("landmark", 224, 1.5, -0.1)],
)
def test_crop(name: str, size: int, scale: float, lift: float) -> None:
    eyes = np.mean([POINTS[list(rows)].mean(axis=0) for rows in EYES_203], axis=0)
    lips = POINTS[LIPS_203].mean(axis=0)
    np.testing.assert_allclose([eyes, lips], GEOMETRY["pt2_203"], atol=1e-3)
    crop = crop_of(face_square(POINTS[None], eyes[None], lips[None], scale=scale, lift=lift)[0])
    matrix = crop.matrix(size)
    np.testing.assert_allclose(matrix, GEOMETRY[f"{name}_M_o2c"][:2], atol=2e-3)
    inverse = cv2.invertAffineTransform(matrix)
    np.testing.assert_allclose(inverse, GEOMETRY[f"{name}_M_c2o"][:2], atol=2e-3)
    drawn = cv2.warpAffine(source_picture(), matrix, (size, size), flags=cv2.INTER_LINEAR)[::8, ::8]
    assert np.abs(drawn.astype(int) - GEOMETRY[f"{name}_crop_slice"].astype(int)).max() <= 1
    upright = FaceCrop(cx=crop.cx, cy=crop.cy, side=crop.side)
    if name == "source":
        np.testing.assert_allclose(upright.matrix(size), GEOMETRY["source_norot_M_o2c"][:2], atol=2e-3)


def test_openings() -> None:
    points = torch.from_numpy(POINTS)[None]
    eyes = torch.cat([opening(points, 6, 18, 0, 12), opening(points, 30, 42, 24, 36)], dim=1)
    np.testing.assert_allclose(eyes.numpy(), GEOMETRY["eye_ratio"], rtol=1e-4)
    np.testing.assert_allclose(opening(points, 90, 102, 48, 66).numpy(), GEOMETRY["lip_ratio"], rtol=1e-4)


def test_crop_from_the_mesh() -> None:
    mesh = mesh_points()
    crop = crop_of(mesh_square(mesh[None])[0])
    matrix = crop.matrix(512)
    np.testing.assert_allclose(matrix, PIPELINE["mesh_M_o2c"][:2], atol=1e-3)
    np.testing.assert_allclose(cv2.invertAffineTransform(matrix), PIPELINE["mesh_M_c2o"][:2], atol=1e-3)
    np.testing.assert_allclose(crop.to_crop(mesh[::20], 256), PIPELINE["mesh_pt_crop256"], atol=1e-2)
    drawn = cv2.warpAffine(source_picture(), matrix, (512, 512), flags=cv2.INTER_LINEAR)
    assert np.abs(drawn[::8, ::8].astype(int) - PIPELINE["mesh_crop512_slice"].astype(int)).max() <= 1
    half = cv2.resize(drawn, (256, 256), interpolation=cv2.INTER_AREA)[::4, ::4]
    assert np.abs(half.astype(int) - PIPELINE["mesh_crop256_slice"].astype(int)).max() <= 1


@pytest.mark.parametrize("name", ["paste", "paste2"])
def test_paste_back(name: str) -> None:
    back = PIPELINE["mesh_M_c2o" if name == "paste" else "paste2_M_c2o"]
    crop = indexed(np.linalg.inv(back.astype(np.float64)), 512)
    drawn = np.trunc((1 - picture(3, 512, 512).permute(1, 2, 0).numpy()) * 255) / 255
    frame = ArrayFrame(index=0, time=Fraction(0), pixels=source_picture())
    pasted = paste_plain(frame, crop, drawn.astype(np.float32)).pixels[::4, ::4].astype(int)
    stored = PIPELINE[f"{name}_out_slice"].astype(int)
    # the reference samples linearly, rounds crop and mask to bytes and cuts fractions off
    wrong = np.abs(pasted - stored)
    assert wrong.max() <= 6 and wrong.mean() < 0.7 and (wrong > 1).mean() < 0.03
    # its own way, with our crop and border
    matrix, size = cv2.invertAffineTransform(crop.matrix(512)), (640, 480)
    matrix = pixel_matrix(matrix)
    alpha = cv2.warpAffine(np.floor(255 * border_mask(512) + 1e-3).astype(np.uint8), matrix, size)[..., None] / 255
    shown = cv2.warpAffine(np.rint(drawn * 255).astype(np.uint8), matrix, size)
    mixed = np.trunc(alpha * shown + (1 - alpha) * source_picture())[::4, ::4]
    np.testing.assert_allclose(alpha[::4, ::4, 0], PIPELINE[f"{name}_mask_slice"], atol=1.01 / 255)
    assert np.abs(mixed - stored).max() <= 1


def test_border() -> None:
    bytes_ = np.floor(border_mask(512).astype(np.float64) * 255 + 1e-4).astype(np.uint8)
    np.testing.assert_array_equal(bytes_[:24, :24], PIPELINE["paste_mask512_corner"])
    np.testing.assert_array_equal(bytes_[-24:, -24:], PIPELINE["paste_mask512_corner_br"])


class Track:
    """A face that shakes around its place for 40 frames, and is away for five of them."""

    track_id, first_frame, stop_frame = 0, 0, 40

    def samples(self, start: int, stop: int) -> FaceSamples:
        frames = np.arange(start, stop)
        shake = np.random.default_rng(0).normal(0, 2, (40, 2))
        landmarks = np.full((len(frames), 478, 3), np.nan, np.float32)
        for row, frame in enumerate(frames):
            if 0 <= frame < 40 and not 20 <= frame < 25:
                landmarks[row, :, :2] = mesh_points() + shake[frame]
        weight = (~np.isnan(landmarks[:, 0, 0])).astype(np.float32)
        return FaceSamples(first_frame=start, landmarks=landmarks, weight=weight, yaw=np.zeros(len(frames)))


def test_crops_are_steady() -> None:
    path = CropPath(Track(), frame_rate=Fraction(25))
    crops = [path.at(index) for index in range(-1, 42)]
    assert [crop is None for crop in crops] == [not (0 <= n < 40 and not 20 <= n < 25) for n in range(-1, 42)]
    seen = [crop for crop in crops if crop]
    assert np.std([crop.cx for crop in seen]) < 1.2  # of 2
    assert np.ptp([crop.side for crop in seen]) < 1e-3
    later = CropPath(Track(), frame_rate=Fraction(25))
    assert later.at(38) == crops[39] and later.at(3) == crops[4]


def noisy_frame() -> ArrayFrame:
    noise = np.random.default_rng(0).integers(-30, 31, (480, 640, 1))
    return ArrayFrame(index=0, time=Fraction(0), pixels=(source_picture() * 0.6 + 50 + noise).astype(np.uint8))


CROP = FaceCrop(cx=300, cy=250, side=300, rotation=0.2)


def test_no_difference_changes_nothing() -> None:
    frame, drawn = noisy_frame(), np.random.default_rng(1).random((128, 128, 3), np.float32)
    assert paste_difference(frame, CROP, drawn, drawn) is frame


def test_a_wrong_colour_cancels_and_detail_stays() -> None:
    """The renderer is soft and too dark; the edit brightens a spot."""
    frame = noisy_frame()
    soft = 0.8 * cv2.GaussianBlur(crop_frame(frame, CROP, 128), (0, 0), 3).astype(np.float32) / 255
    spot = np.zeros((128, 128, 1), np.float32)
    spot[40:80, 40:80] = 0.015
    spot = cv2.GaussianBlur(spot, (0, 0), 4)[..., None]
    result = paste_difference(frame, CROP, soft, soft + spot).pixels.astype(int)
    change = result - frame.pixels
    x, y = CROP.to_frame(np.array([60.0, 60.0]), 128).astype(int)
    assert change[y, x].min() >= 3 and change.max() <= 5 and change.min() >= 0
    x, y = CROP.to_frame(np.array([20.0, 100.0]), 128).astype(int)
    assert not change[y - 5 : y + 5, x - 5 : x + 5].any()
    assert not change[:90].any()  # outside the crop
    plain = paste_plain(frame, CROP, soft + spot).pixels.astype(int)
    assert (plain - frame.pixels)[y, x].max() < -10


def test_moved_detail_leaves_no_ghost() -> None:
    """A dark line moves by a few pixels; nothing of it stays where it was."""
    pixels = np.full((300, 300, 3), 180, np.uint8)
    pixels[:, 148:152] = 60
    frame = ArrayFrame(index=0, time=Fraction(0), pixels=pixels)
    crop = FaceCrop(cx=150, cy=150, side=256)
    drawn = cv2.GaussianBlur(crop_frame(frame, crop, 256), (0, 0), 1.5).astype(np.float32) / 255
    result = paste_difference(frame, crop, drawn, np.roll(drawn, 12, axis=1)).pixels[150, :, 0].astype(int)
    assert result[148:152].min() > 160
    assert result[158:166].min() < 130
