"""The pack's own expert on pictures: reads the mouths that the tracker reads, and prefers the sound that belongs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from thfem_core.audio.speech import Speech
from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.pose import head_pose
from thfem_core.media.file_video import FileVideo
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis
from training.data.pairs import face_crops
from training.mesh_sync import Ear, MeshSyncExpert, sight_of

FRAMES = 12


@pytest.fixture(scope="module")
def face(demo_clip: Path) -> tuple[torch.Tensor, np.ndarray, Speech]:
    """Twelve face crops, their landmarks, and the sound."""
    video = FileVideo(demo_clip, duration=Fraction(FRAMES, 25))
    pictures, landmarks = face_crops(video, "cpu")
    speech = Speech.from_video(video)
    assert speech is not None
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255, landmarks, speech


def test_mouths_are_read_off_pictures_with_a_gradient(face: tuple[torch.Tensor, np.ndarray, Speech]) -> None:
    pictures, landmarks, speech = face
    expert = MeshSyncExpert()
    shown = pictures.clone().requires_grad_(True)
    sight = {name: torch.from_numpy(value) for name, value in sight_of(landmarks).items()}
    found = expert.mouths(shown, **sight).detach().numpy()
    basis = load_mouth_basis()
    tracked = basis.read(head_pose(landmarks, canonical_mesh()).to_canonical(landmarks)) / basis.spread
    # The tracker smooths over time and fits on the whole frame; the crop is resampled: the largest mode must agree.
    assert np.corrcoef(found[:, 0], tracked[:, 0])[0, 1] > 0.8
    columns = torch.from_numpy(Ear.of(speech, expert.steps).columns(np.arange(FRAMES)))[None]
    loss = expert(shown[None], {name: value[None] for name, value in sight.items()}, columns)
    loss.backward()
    assert torch.isfinite(loss) and float(loss.detach()) > 0
    assert shown.grad is not None and float(shown.grad.abs().sum()) > 0
    assert not any(weight.requires_grad for weight in expert.parameters())


def test_columns_lie_around_their_frames() -> None:
    mel = np.arange(200, dtype=np.float32)[:, None].repeat(80, axis=1)
    ear = Ear(mel, 27)
    columns = ear.columns(np.arange(10, 15))
    assert columns.shape == (27 + 4 * 4, 80) and columns[13, 0] == 40 and columns[13 + 16, 0] == 56
    assert ear.columns(np.arange(5))[0, 0] == 0 and ear.columns(np.arange(46, 51))[-1, 0] == 199
