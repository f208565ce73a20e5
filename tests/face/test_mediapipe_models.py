"""The embedded face models as the tracker uses them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from portrait import placed, portrait
from safetensors import safe_open

from thfem_core.errors import WeightsError
from thfem_core.face.mediapipe.models import WEIGHTS_FILE, MediaPipeFaceModels, load_mediapipe, load_networks
from thfem_core.face.mediapipe.tracing import traced
from thfem_core.face.models import FaceModels, FaceRoi, default_face_models
from thfem_core.face.tracking.tracker import track_faces
from thfem_core.loaded import release_networks
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.array_video import ArrayVideo
from thfem_core.weights.model import EMBEDDED_FOLDER

FACE = FaceRoi(cx=128, cy=128, side=235, rotation=0.0)


@pytest.fixture(scope="module")
def models() -> FaceModels:
    return default_face_models(torch.device("cpu"))


def as_frame(pixels: np.ndarray) -> ArrayFrame:
    return ArrayFrame(index=0, time=Fraction(0), pixels=pixels)


def face(degrees: float = 0.0, scale: float = 1.5) -> np.ndarray:
    return placed(portrait(), scale=scale, degrees=degrees, at=(128, 128))


def test_registry_gives_the_embedded_models(models):
    assert isinstance(models, MediaPipeFaceModels)


def test_batched_fits_equal_single_ones(models):
    frame = as_frame(face())
    rois = [replace(FACE, rotation=r, side=s) for r, s in [(0.0, 235.0), (0.2, 210.0), (-0.3, 260.0)]]
    together = models.fit(frame, rois)
    for roi, fit in zip(rois, together, strict=True):
        (alone,) = models.fit(frame, [roi])
        np.testing.assert_allclose(fit.landmarks, alone.landmarks, atol=0.01)
        assert fit.presence == pytest.approx(alone.presence, abs=1e-4)
    assert models.fit(frame, []) == []


def test_rough_fits_are_completed_together_and_are_near_already(models):
    frame = as_frame(face())
    rois = [replace(FACE, rotation=r, side=s) for r, s in [(0.0, 235.0), (0.2, 210.0), (-0.3, 260.0)]]
    rough = [fit for roi in rois for fit in models.fit_roughly(frame, [roi])]
    for roi, fit, completed in zip(rois, rough, models.refined(rough), strict=True):
        (exact,) = models.fit(frame, [roi])
        assert fit.presence == exact.presence
        np.testing.assert_allclose(completed, exact.landmarks, atol=0.01)
        away = np.linalg.norm(fit.landmarks[:, :2] - exact.landmarks[:468, :2], axis=1)
        assert fit.landmarks.shape == (468, 3) and 0 < away.max() < 8
    assert models.fit_roughly(frame, []) == models.refined([]) == []


def test_calls_leave_no_trace(models):
    frame = as_frame(face())
    before = models.fit(frame, [FACE])[0].landmarks
    models.detect(as_frame(face(degrees=20)))
    models.fit(as_frame(face(degrees=20)), [FACE, FACE])
    np.testing.assert_array_equal(models.fit(frame, [FACE])[0].landmarks, before)


def test_traced_method_equals_the_method_it_records():
    network = load_networks()["mesh"]
    images = torch.rand(3, 3, 192, 192)
    recorded = traced(network, "coarse", images[:1])
    assert isinstance(recorded, torch.ScriptMethod)
    with torch.inference_mode():
        for expected, found in zip(network.coarse(images), recorded(images), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)


def test_network_that_cannot_be_recorded_runs_as_it_is():
    class Stubborn(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            if torch.jit.is_tracing():
                raise RuntimeError("not this one")
            return x, x

    network = Stubborn()
    images = torch.rand(1, 3, 8, 8)
    assert traced(network, "forward", images)(images)[0] is images


def test_weights_file_tells_its_origin():
    with safe_open(EMBEDDED_FOLDER / WEIGHTS_FILE, framework="pt") as file:
        metadata = file.metadata()
        dtypes = {file.get_slice(key).get_dtype() for key in file.keys()}  # noqa: SIM118 - not a mapping
    assert metadata["licence"] == "Apache-2.0" and metadata["version"] == "0.10.21"
    hashes = [value for key, value in metadata.items() if key.startswith("sha256 ")]
    assert len(hashes) == 3 and all(len(value) == 64 for value in hashes)
    assert dtypes == {"F16", "I64"}


def test_mesh_follows_a_turned_face(models):
    """The same points of the portrait, found in two pictures of it."""
    upright, turned = face(), face(degrees=25)
    first, second = (models.fit(as_frame(p), [models.roi_from_detection(models.detect(as_frame(p))[0])])[0]
                     for p in (upright, turned))  # fmt: skip
    angle = np.radians(25)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    expected = (first.landmarks[:, :2] - 128) @ rotation.T + 128
    assert np.linalg.norm(second.landmarks[:, :2] - expected, axis=1).mean() < 2.0
    assert first.presence > 0.99 and second.presence > 0.99


@pytest.mark.parametrize("degrees", [0, 60, 140, 180, 220, 300])
def test_a_face_is_tracked_the_right_way_up_at_any_tilt(models, degrees):
    """The portrait, turned: its mesh must turn with it, as the mesh of a lying face easily stands on its head."""
    still = ArrayVideo(np.repeat(face()[None], 2, axis=0), Fraction(25))
    turned = ArrayVideo(np.repeat(face(degrees=degrees)[None], 2, axis=0), Fraction(25))
    first, second = (
        track_faces(video, models=models).select("largest")[0].samples(0, 1).landmarks[0, :, :2]
        for video in (still, turned)
    )
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    away = np.linalg.norm(second - ((first - 128) @ rotation.T + 128), axis=1).mean()
    assert away < 0.06 * np.linalg.norm(first[33] - first[263])


def test_left_and_right_are_the_persons_own(models):
    (detection, *_) = models.detect(as_frame(face()))
    (fit,) = models.fit(as_frame(face()), [models.roi_from_detection(detection)])
    right_eye, left_eye = detection.keypoints[:2]
    assert right_eye[0] < left_eye[0] < detection.box[2]
    assert np.linalg.norm(fit.landmarks[468, :2] - right_eye) < 10  # the irises
    assert np.linalg.norm(fit.landmarks[473, :2] - left_eye) < 10


def test_presence_is_low_where_there_is_no_face(models):
    frame = as_frame(np.full((256, 256, 3), 127, np.uint8))
    assert models.detect(frame) == []
    assert models.fit(frame, [FACE])[0].presence < 0.5


@pytest.mark.parametrize("height", [72, 140, 350])
def test_faces_of_any_size_are_found_in_a_wide_frame(models, height):
    """``height`` of a face in pixels, towards the corner of a frame of 960 × 540."""
    patch = placed(portrait(), scale=height / 100, degrees=0, at=(height * 1.2, height), side=int(height * 2.4))
    pixels = np.full((540, 960, 3), 120, np.uint8)
    pixels[20 : 20 + len(patch), 30 : 30 + len(patch)] = patch[:520]
    (detection, *_) = models.detect(as_frame(pixels))
    centre = np.add(detection.box[:2], detection.box[2:]) / 2
    np.testing.assert_allclose(centre, (30 + height * 1.2, 20 + height), atol=0.25 * height)


def test_two_faces_are_two_detections(models):
    pixels = np.concatenate([face(scale=1.2), face(degrees=10, scale=1.3)], axis=1)
    centres = sorted((d.box[0] + d.box[2]) / 2 for d in models.detect(as_frame(pixels)) if d.score > 0.7)
    np.testing.assert_allclose(centres, [128, 384], atol=12)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (7, 5)])
def test_tiny_frames_are_no_error(models, size):
    frame = as_frame(np.zeros((*size, 3), np.uint8))
    models.detect(frame)
    assert models.fit(frame, [FACE])[0].landmarks.shape == (478, 3)


def test_missing_and_damaged_weights_say_what_to_do(tmp_path):
    path = tmp_path / "mediapipe_face.safetensors"
    with pytest.raises(
        WeightsError, match=r"mediapipe_face.safetensors is missing .*convert_mediapipe.*Apache-2.0"
    ) as e:
        load_networks(tmp_path)
    assert str(tmp_path) in str(e.value) and "\n" not in str(e.value)
    data = (EMBEDDED_FOLDER / WEIGHTS_FILE).read_bytes()
    for damaged in (b"", b"text", data[: len(data) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match="is damaged"):
            load_networks(tmp_path)


def test_weights_of_other_networks_are_refused(tmp_path):
    (tmp_path / WEIGHTS_FILE).write_bytes((EMBEDDED_FOLDER / "mouth_motion.safetensors").read_bytes())
    with pytest.raises(WeightsError, match="of another architecture"):
        load_networks(tmp_path)


def test_networks_are_loaded_once_and_given_back(models):
    cpu = torch.device("cpu")
    assert default_face_models(cpu) is default_face_models(cpu)
    release_networks()
    assert default_face_models(cpu) is not models


def test_loading_does_not_touch_the_random_numbers_of_the_caller():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    release_networks()
    load_mediapipe(torch.device("cpu"))
    torch.testing.assert_close(torch.rand(4), expected)
