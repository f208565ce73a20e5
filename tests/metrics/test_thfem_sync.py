"""The pack's own sync expert: what its windows are, and that it hears a delay in speech it was never taught."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from thfem_core.audio.speech import Speech
from thfem_core.errors import WeightsError
from thfem_core.face.mesh.canonical import canonical_mesh, canonical_shapes
from thfem_core.face.models import default_face_models
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.file_video import FileVideo
from thfem_core.media.sound import Sound
from thfem_core.metrics.clip_sync import clip_sync
from thfem_core.metrics.face_follower import FaceFollower
from thfem_core.metrics.judges.protocol import SeenFace
from thfem_core.metrics.judges.thfem_sync.judge import WINDOW, ThfemSyncExpert, load_thfem_sync, smoothed
from thfem_core.metrics.judges.thfem_sync.network import ThfemSync, ThfemSyncConfig, load_thfem_sync_network
from thfem_core.options import Options
from thfem_core.registry import Resources
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis

CPU = torch.device("cpu")
RATE = Fraction(25)
PICTURE = np.zeros((8, 8, 3), np.uint8)


def small() -> ThfemSync:
    torch.manual_seed(0)
    return ThfemSync(ThfemSyncConfig(speech=16, width=8, size=4)).eval()


def faces_of(meshes: np.ndarray) -> list[SeenFace]:
    return [(ArrayFrame(index=i, time=i / RATE, pixels=PICTURE), mesh) for i, mesh in enumerate(meshes)]


def noise(seconds: float) -> Speech:
    samples = np.random.default_rng(2).normal(scale=0.1, size=int(16000 * seconds)).astype(np.float32)
    return Speech.from_sound(Sound(samples[None], 16000))


def test_frames_one_by_one_are_heard_as_together() -> None:
    net, frames = small(), 6
    columns = torch.randn(2, net.config.steps + 4 * (frames - 1), net.config.mels)
    whole = net.sound_features(columns)
    assert whole.shape == (2, frames, net.config.size)
    for t in range(frames):
        alone = net.sound_features(columns[:, 4 * t : 4 * t + net.config.steps])
        torch.testing.assert_close(alone[:, 0], whole[:, t], atol=1e-5, rtol=1e-4)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), frames=st.integers(2, 30))
def test_only_changes_count(seed: int, frames: int) -> None:
    net, rng = small(), torch.Generator().manual_seed(seed)
    mouths = torch.randn(3, 2, frames, 16, generator=rng)
    seen = net.embed_lips(mouths)
    assert seen.shape == (3, 2, frames * net.config.size)
    torch.testing.assert_close(seen.norm(dim=-1), torch.ones(3, 2))
    person = 5 * torch.randn(3, 2, 1, 16, generator=rng)
    torch.testing.assert_close(net.embed_lips(mouths + person), seen, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(net.embed_lips(mouths.flatten(0, 1)), seen.flatten(0, 1))
    for nothing in (net.embed_lips(torch.ones(2, frames, 16)), net.embed_sound(torch.ones(2, frames, net.config.size))):
        assert float(nothing.detach().abs().max()) < 0.01


def test_blocks_of_a_stream_are_one_stream() -> None:
    basis, rng = load_mouth_basis(), np.random.default_rng(0)
    mouths = rng.normal(size=(70, basis.size)).astype(np.float32) * basis.spread
    meshes = (2 * (basis.mean + basis.displacement(mouths)) + 100).astype(np.float32)
    net = small()
    expert = ThfemSyncExpert(net, basis, CPU)
    rows = torch.cat(list(expert.lip_rows(faces_of(meshes))))
    assert len(rows) == 70 - WINDOW + 1
    read = torch.from_numpy(basis.read(canonical_shapes(meshes)) / basis.spread).float()
    for i in (0, 7, 8, 45):
        alone = net.embed_lips(smoothed(read[None, i : i + WINDOW]))[0]
        torch.testing.assert_close(rows[i], alone, atol=1e-5, rtol=1e-4)
    assert not list(expert.lip_rows(faces_of(meshes[: WINDOW - 1])))
    speech = noise(3)
    whole = expert.sound_rows(speech, 0, 40)
    assert whole.shape == (40, rows.shape[1])
    parts = torch.cat([expert.sound_rows(speech, 0, 9), expert.sound_rows(speech, 9, 40)])
    torch.testing.assert_close(parts, whole, atol=1e-4, rtol=1e-3)


@pytest.fixture(scope="module")
def expert() -> ThfemSyncExpert:
    return load_thfem_sync(Options(), Resources())


@pytest.fixture(scope="module")
def talking(demo_clip: Path) -> tuple[list[SeenFace], np.ndarray]:
    """Every face of the demo clip, and its speech."""
    follower = FaceFollower(default_face_models(CPU))
    meshes = [follower.fit(frame) for frame in FileVideo(demo_clip).frames()]
    speech = Speech.from_video(FileVideo(demo_clip))
    assert speech is not None
    return faces_of(np.stack(meshes)), np.array(speech.samples)


def score(expert: ThfemSyncExpert, faces: list[SeenFace], samples: np.ndarray):
    speech = Speech.from_sound(Sound(samples[None], 16000))
    return clip_sync(faces, speech, expert, frames=len(faces), frame_rate=RATE)


def test_a_delay_of_the_sound_is_found(expert: ThfemSyncExpert, talking) -> None:
    faces, samples = talking
    in_step = score(expert, faces, samples)
    assert abs(in_step.offset) <= 1 and in_step.confidence > 0.1 and in_step.distance < 1.3
    for frames in (-4, 6):
        moved = np.roll(samples, 640 * frames)
        found = score(expert, faces, moved)
        assert abs(found.offset - (in_step.offset - frames)) <= 1
        assert found.distance < 1.35


def test_lips_that_do_not_move_fit_nothing(expert: ThfemSyncExpert, talking) -> None:
    faces, samples = talking
    still = [(frame, faces[0][1]) for frame, _ in faces]
    assert score(expert, still, samples).confidence < 0.2 * score(expert, faces, samples).confidence


def test_where_the_face_stands_does_not_matter(expert: ThfemSyncExpert, talking) -> None:
    faces, samples = talking
    angle = 0.3
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    moved = [(frame, (1.7 * mesh @ turn.T + [30, 90, 5]).astype(np.float32)) for frame, mesh in faces]
    before, after = score(expert, faces, samples), score(expert, moved, samples)
    assert before.offset == after.offset
    np.testing.assert_allclose(before.curve, after.curve, atol=0.01)


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"lips.0.weight": torch.zeros(3)}, tmp_path / "sync.safetensors")
    with pytest.raises(WeightsError, match="another architecture"):
        load_thfem_sync_network(tmp_path / "sync.safetensors")


def test_the_canonical_face_is_a_still_window() -> None:
    basis = load_mouth_basis()
    expert = ThfemSyncExpert(small(), basis, CPU)
    mesh = (3 * canonical_mesh() + 50).astype(np.float32)
    (rows,) = expert.lip_rows(faces_of(np.stack([mesh] * WINDOW)))
    assert rows.shape == (1, WINDOW * 4) and float(rows.abs().max()) < 0.05
