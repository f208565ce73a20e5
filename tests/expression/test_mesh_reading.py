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
from thfem_core.expression.mesh import texture
from thfem_core.expression.mesh.action_units import ACTION_UNITS, MeanExpression
from thfem_core.expression.mesh.back_end import MeshOptions
from thfem_core.expression.mesh.clip_expression import measure_expression
from thfem_core.expression.mesh.editor import MeshEditor
from thfem_core.expression.mesh.plan import plan_motion
from thfem_core.expression.mesh.presets import preset_units
from thfem_core.expression.mesh.recognition import recognise
from thfem_core.expression.mesh.spectacles import WORN_FROM, bridge_strength, rim_damping
from thfem_core.expression.mesh.texture import load_ratio, ratio_samples
from thfem_core.expression.request import EMOTIONS, Emotion, ExpressionRequest, ReferenceClip
from thfem_core.face.mesh.basis import load_basis
from thfem_core.face.models import default_face_models
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.picture_file import read_image
from thfem_core.weights.reading import embedded_tensors

PORTRAIT = Path(__file__).parents[1] / "data" / "portrait.png"


@pytest.fixture(scope="module")
def portrait() -> tuple[ArrayFrame, np.ndarray]:
    frame = ArrayFrame(index=0, time=Fraction(0), pixels=read_image(PORTRAIT))
    models = default_face_models(torch.device("cpu"))
    roi = models.roi_from_detection(models.detect(frame)[0])
    return frame, models.fit(frame, [roi])[0].landmarks


def with_spectacles(
    frame: ArrayFrame, landmarks: np.ndarray, colour: tuple[int, int, int] = (25, 20, 20)
) -> ArrayFrame:
    pixels = frame.pixels.copy()
    unit = np.linalg.norm(landmarks[33] - landmarks[263]) / 100
    centres = [landmarks[[33, 133], :2].mean(axis=0), landmarks[[362, 263], :2].mean(axis=0)]
    for centre in centres:
        cv2.ellipse(pixels, (centre, (54 * unit, 42 * unit), 0), colour, max(2, round(3 * unit)), cv2.LINE_AA)
    bridge = [tuple(map(int, c + np.array([s * 27, -4]) * unit)) for c, s in zip(centres, (1, -1), strict=True)]
    cv2.line(pixels, *bridge, colour, max(2, round(3 * unit)), cv2.LINE_AA)
    return ArrayFrame(index=0, time=Fraction(0), pixels=pixels)


@pytest.mark.parametrize(("light", "colour"), [(1.0, (25, 20, 20)), (0.5, (250, 245, 240))])
def test_dark_and_bright_spectacles_are_seen(
    portrait: tuple[ArrayFrame, np.ndarray], light: float, colour: tuple[int, int, int]
) -> None:
    frame, landmarks = portrait
    lit = ArrayFrame(index=0, time=Fraction(0), pixels=(light * frame.pixels).astype(np.uint8))
    worn = with_spectacles(lit, landmarks, colour)
    assert bridge_strength(lit, landmarks) < WORN_FROM < bridge_strength(worn, landmarks)


def test_a_shadow_over_half_of_the_nose_is_no_spectacles(portrait: tuple[ArrayFrame, np.ndarray]) -> None:
    frame, landmarks = portrait
    pixels = frame.pixels.copy()
    pixels[int(landmarks[6, 1]) :] //= 2  # an edge across the nose, dark on one side only
    assert bridge_strength(ArrayFrame(index=0, time=Fraction(0), pixels=pixels), landmarks) < WORN_FROM


def test_a_face_off_the_frame_is_judged_without_failing(portrait: tuple[ArrayFrame, np.ndarray]) -> None:
    frame, landmarks = portrait
    for shift in (-150, 5000):
        assert np.isfinite(bridge_strength(frame, landmarks + np.float32(shift)))


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


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_a_preset_is_read_as_its_emotion_on_any_face(emotion: Emotion) -> None:
    basis, rng = load_basis(), np.random.default_rng(3)
    fields = basis.action_units[[basis.index(name) for name in ACTION_UNITS]]
    units = preset_units(emotion) + 0.1 * rng.standard_normal((20, len(ACTION_UNITS)))
    modes = 0.7 * rng.standard_normal((20, len(basis.identity_modes)))
    faces = basis.canonical + np.tensordot(units, fields, 1) + np.tensordot(modes, basis.identity_modes, 1)
    read = [recognise(MeanExpression(activation=np.zeros(len(ACTION_UNITS)), shape=face)) for face in faces]
    assert sum(max(each, key=lambda name: each[name]) == emotion for each in read) >= 18


def test_a_missing_weight_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"face_basis\.safetensors is missing .*build_face_basis\.py"):
        embedded_tensors("face_basis.safetensors", maker="training/build_face_basis.py", folder=tmp_path)
    (tmp_path / "face_basis.safetensors").write_bytes(b"not a tensor file")
    with pytest.raises(WeightsError, match="damaged"):
        embedded_tensors("face_basis.safetensors", maker="training/build_face_basis.py", folder=tmp_path)


@pytest.mark.parametrize("shown", ["emotion", "reference"])
def test_the_non_commercial_file_is_not_needed(
    monkeypatch: pytest.MonkeyPatch, portrait: tuple[ArrayFrame, np.ndarray], shown: str
) -> None:
    frame, landmarks = portrait

    def missing(name: str, *, maker: str) -> None:
        raise AssertionError(f"{name} is read")

    monkeypatch.setattr(texture, "embedded_tensors", missing)
    for cached in (load_ratio, ratio_samples):
        cached.cache_clear()
    editor = MeshEditor()
    request = ExpressionRequest(emotion="angry")
    if shown == "reference":
        clip = ArrayVideo(frame.pixels[None], Fraction(25))
        request = ExpressionRequest(reference=ReferenceClip(video=clip, track=MadeUpTrack(talking_face(8, smile=0.9))))
    (out,) = editor.edit(
        (f for f in [frame]),
        [MadeUpTrack(landmarks[None])],
        request,
        frame_rate=Fraction(25),
        device=torch.device("cpu"),
    )
    assert (out.pixels != frame.pixels).any()
