"""The networks against MediaPipe's own, through goldens made by ``tests/tools/make_mediapipe_goldens.py``."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from portrait import portrait_variants

from thfem_core.face.mediapipe.mesh_net import INPUT_SIDE, MESH_POINTS
from thfem_core.face.mediapipe.models import MediaPipeFaceModels, load_mediapipe, load_networks
from thfem_core.face.mediapipe.roi import landmarks_to_frame, roi_to_frame
from thfem_core.face.mediapipe.suppression import intersection_over_union
from thfem_core.face.models import FaceRoi
from thfem_core.media.array_frame import ArrayFrame

REPO = Path(__file__).resolve().parents[2]
GOLDENS = np.load(REPO / "tests" / "data" / "mediapipe_goldens.npz")


@pytest.fixture(scope="module")
def models() -> MediaPipeFaceModels:
    return load_mediapipe(torch.device("cpu"))


@pytest.fixture(scope="module")
def networks() -> dict[str, torch.nn.Module]:
    return load_networks()


@pytest.fixture(scope="module", params=["portrait", "clip"])
def pictures(request: pytest.FixtureRequest) -> tuple[str, list[np.ndarray]]:
    """The pictures of a group of goldens."""
    return request.param, portrait_variants() if request.param == "portrait" else clip_frames()


def clip_frames() -> list[np.ndarray]:
    """The frames of real clips that the goldens were made from."""
    folder = Path(os.environ.get("THFEM_TEST_DATA", REPO.parent / "shared" / "data")) / "crops"
    if not (folder / str(GOLDENS["clips"][0])).is_file():
        pytest.skip(f"the real clips are not in {folder}; set THFEM_TEST_DATA to the folder that holds crops/")
    return [frame_of(folder / name, int(GOLDENS["clip_frame"])) for name in GOLDENS["clips"]]


def frame_of(path: Path, number: int) -> np.ndarray:
    with av.open(str(path)) as container:
        return next(f for i, f in enumerate(container.decode(video=0)) if i == number).to_ndarray(format="rgb24")


def as_frame(picture: np.ndarray) -> ArrayFrame:
    return ArrayFrame(index=0, time=Fraction(0), pixels=picture)


def golden_roi(values: np.ndarray) -> FaceRoi:
    return FaceRoi(cx=values[0], cy=values[1], side=values[2], rotation=values[3])


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """In the picture plane, per landmark."""
    return np.linalg.norm(a[:, :2] - b[:, :2], axis=1)


def test_landmarks_agree_within_a_third_of_a_pixel(models, pictures):
    """In the same region of 256 × 256 frames of faces that are not much inclined. What remains is mostly the half
    pixel of the next test, and that grows with the inclination."""
    group, images = pictures
    means = []
    for image, roi, expected in zip(images, GOLDENS[f"{group}_roi"], GOLDENS[f"{group}_landmarks"], strict=True):
        (fit,) = models.fit(as_frame(image), [golden_roi(roi)])
        assert fit.presence > 0.9
        if abs(roi[3]) < np.radians(20):
            means.append(distance(fit.landmarks, expected).mean())
    assert len(means) >= 20
    assert np.mean(means) < 0.3
    assert np.max(means) < 0.4


def test_landmarks_agree_almost_exactly_on_the_crop_that_mediapipe_takes(models, pictures):
    """On CPUs MediaPipe reads the crop's pixel i at its left edge instead of its centre; read so, all three
    coordinates are the same but for rounding."""
    group, images = pictures
    for image, values, expected in zip(images, GOLDENS[f"{group}_roi"], GOLDENS[f"{group}_landmarks"], strict=True):
        roi = golden_roi(values)
        crop = cv2.warpAffine(
            image,
            roi_to_frame(roi, INPUT_SIDE),
            (INPUT_SIDE, INPUT_SIDE),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        with torch.inference_mode():
            mesh, _, features = models._coarse(models._images(crop[None]) / 255.0)
            points = models._mesh.refine(mesh, features)
        found = landmarks_to_frame(points[0].numpy(), roi, INPUT_SIDE)
        assert distance(found, expected).mean() < 0.1
        assert np.abs(found[:, 2] - expected[:, 2]).mean() < 0.1


def test_detected_boxes_agree(models, pictures):
    """From the frame to the box, though the thumbnail is scaled by area and MediaPipe's by single pixels."""
    group, images = pictures
    for image, expected in zip(images, GOLDENS[f"{group}_box"], strict=True):
        best = models.detect(as_frame(image))[0]
        assert intersection_over_union(expected, np.array([best.box]))[0] > 0.95


@pytest.mark.parametrize(("name", "side"), [("short_range", 128), ("full_range", 192)])
def test_detectors_give_the_numbers_of_the_tflite_files(networks, name, side):
    batch = torch.from_numpy(np.stack(portrait_variants(side))).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.inference_mode():
        scores, boxes = (output.numpy() for output in networks[name](batch))
    rows = GOLDENS[f"{name}_rows"]
    np.testing.assert_allclose(np.take_along_axis(scores, rows, 1), GOLDENS[f"{name}_scores"], atol=2e-3)
    np.testing.assert_allclose(np.take_along_axis(boxes, rows[..., None], 1), GOLDENS[f"{name}_boxes"], atol=2e-3)


def test_mesh_without_regions_gives_the_numbers_of_the_tflite_file(networks):
    """z and all points outside lips and eyes come from the plain part of the network."""
    batch = torch.from_numpy(np.stack(portrait_variants(INPUT_SIDE)[6:12])).permute(0, 3, 1, 2) / 255.0
    with torch.inference_mode():
        landmarks, presence = (output.numpy() for output in networks["mesh"](batch))
    expected = GOLDENS["mesh_identity"]
    refined = np.unique(networks["mesh"].regions.points)
    plain = np.setdiff1d(np.arange(MESH_POINTS), refined)
    np.testing.assert_allclose(landmarks[:, plain], expected[:, plain], atol=2e-3)
    np.testing.assert_allclose(landmarks[:, :MESH_POINTS, 2], expected[..., 2], atol=2e-3)
    np.testing.assert_allclose(presence, GOLDENS["mesh_presence"], atol=2e-3)
    assert np.abs(landmarks[:, refined, :2] - expected[:, refined, :2]).max() > 0.5
