"""What the editor reads from a face before it moves it: the shown emotion, and spectacles."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from made_up_track import MadeUpTrack, talking_face

from thfem_core.errors import WeightsError
from thfem_core.expression.mesh import recognition, spectacles, texture
from thfem_core.expression.mesh.back_end import MeshOptions
from thfem_core.expression.mesh.clip_expression import measure_expression
from thfem_core.expression.mesh.editor import MeshEditor
from thfem_core.expression.mesh.plan import plan_motion
from thfem_core.expression.mesh.recognition import load_reader, recognise
from thfem_core.expression.mesh.spectacles import edge_features, rim_damping, spectacles_score, unroll_band
from thfem_core.expression.mesh.texture import load_ratio, ratio_samples
from thfem_core.expression.request import EMOTIONS, ExpressionRequest
from thfem_core.face.models import default_face_models
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.picture_file import read_image
from thfem_core.weights.reading import embedded_tensors

PORTRAIT = Path(__file__).parents[1] / "data" / "portrait.png"


@pytest.fixture(scope="module")
def portrait() -> tuple[ArrayFrame, np.ndarray]:
    frame = ArrayFrame(index=0, time=Fraction(0), pixels=read_image(PORTRAIT))
    models = default_face_models(torch.device("cpu"))
    roi = models.roi_from_detection(models.detect(frame)[0])
    return frame, models.fit(frame, [roi])[0].landmarks


def with_spectacles(frame: ArrayFrame, landmarks: np.ndarray) -> ArrayFrame:
    pixels = frame.pixels.copy()
    unit = np.linalg.norm(landmarks[33] - landmarks[263]) / 100
    centres = [landmarks[[33, 133], :2].mean(axis=0), landmarks[[362, 263], :2].mean(axis=0)]
    for centre in centres:
        cv2.ellipse(pixels, (centre, (54 * unit, 42 * unit), 0), (25, 20, 20), max(2, round(3 * unit)), cv2.LINE_AA)
    bridge = [tuple(map(int, c + np.array([s * 27, -4]) * unit)) for c, s in zip(centres, (1, -1), strict=True)]
    cv2.line(pixels, *bridge, (25, 20, 20), max(2, round(3 * unit)), cv2.LINE_AA)
    return ArrayFrame(index=0, time=Fraction(0), pixels=pixels)


def test_spectacles_are_seen(portrait: tuple[ArrayFrame, np.ndarray]) -> None:
    frame, landmarks = portrait
    assert spectacles_score(frame, landmarks) < 0 < spectacles_score(with_spectacles(frame, landmarks), landmarks)


def test_a_face_off_the_frame_is_judged_without_failing(portrait: tuple[ArrayFrame, np.ndarray]) -> None:
    frame, landmarks = portrait
    for shift in (-150, 5000):
        assert np.isfinite(edge_features(unroll_band(frame, landmarks + np.float32(shift)))).all()


def test_rims_hold_and_the_mouth_does_not_care() -> None:
    factor = rim_damping()
    assert factor.min() < 0.3
    assert (factor[[61, 291, 13, 14, 152]] == 1).all()
    landmarks = talking_face(1, angle=0)
    source = measure_expression(MadeUpTrack(landmarks))
    assert source is not None
    plan = plan_motion(ExpressionRequest(emotion="happy"), source, None)
    free, worn = (plan.displacements(landmarks, np.ones(1), spectacles=worn)[0] for worn in (False, True))
    under_eyes = [119, 348]
    assert np.linalg.norm(worn[under_eyes]) < 0.6 * np.linalg.norm(free[under_eyes])
    np.testing.assert_allclose(worn[[61, 291]], free[[61, 291]], atol=0.15)


def test_the_editor_decides_about_spectacles_by_itself(portrait: tuple[ArrayFrame, np.ndarray]) -> None:
    frame, landmarks = portrait
    worn = with_spectacles(frame, landmarks)
    track, request = MadeUpTrack(landmarks[None]), ExpressionRequest(emotion="happy")

    def edited(mode: str) -> np.ndarray:
        editor = MeshEditor(MeshOptions(spectacles=mode))
        (out,) = editor.edit((f for f in [worn]), [track], request, frame_rate=Fraction(25), device=torch.device("cpu"))
        return out.pixels

    np.testing.assert_array_equal(edited("auto"), edited("yes"))
    assert (edited("auto") != edited("no")).any()


def test_recognition_is_a_distribution_and_follows_a_smile() -> None:
    still, smiling = (measure_expression(MadeUpTrack(talking_face(40, smile=s))) for s in (0.0, 0.9))
    assert still is not None
    assert smiling is not None
    before, after = recognise(still.mean), recognise(smiling.mean)
    assert tuple(before) == EMOTIONS
    assert sum(before.values()) == pytest.approx(1)
    assert after["happy"] > max(0.5, before["happy"])


def test_a_missing_weight_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"face_basis\.safetensors is missing .*build_face_basis\.py"):
        embedded_tensors("face_basis.safetensors", maker="training/build_face_basis.py", folder=tmp_path)
    (tmp_path / "face_basis.safetensors").write_bytes(b"not a tensor file")
    with pytest.raises(WeightsError, match="damaged"):
        embedded_tensors("face_basis.safetensors", maker="training/build_face_basis.py", folder=tmp_path)


def test_the_non_commercial_files_are_not_needed_for_an_emotion(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, portrait: tuple[ArrayFrame, np.ndarray]
) -> None:
    frame, landmarks = portrait

    def missing(name: str, *, maker: str) -> None:
        raise AssertionError(f"{name} is read")

    for module in (texture, recognition, spectacles):
        monkeypatch.setattr(module, "embedded_tensors", missing)
    for cached in (load_ratio, ratio_samples, load_reader):
        cached.cache_clear()
    editor = MeshEditor(MeshOptions(spectacles="no"))
    request = ExpressionRequest(emotion="angry")
    (out,) = editor.edit(
        (f for f in [frame]),
        [MadeUpTrack(landmarks[None])],
        request,
        frame_rate=Fraction(25),
        device=torch.device("cpu"),
    )
    assert (out.pixels != frame.pixels).any()
