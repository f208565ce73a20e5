"""The recipe of the occlusion network, on made-up faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from thfem_core.errors import InputError
from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.occlusion.crop import SIDE
from thfem_core.face.occlusion.network import PIXELS
from training.config import LoopConfig
from training.occluders.compose import KINDS, FacePictures, draw_sample
from training.occluders.people import bend, relight, varied
from training.stages.occlusion import OcclusionStage, OcclusionStageConfig, load_faces, occlusion_scores
from training.train_thg import stage_config

STORED = 192


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six people who are skin-coloured ovals with noise."""
    rng = np.random.default_rng(0)
    outline = (canonical_mesh()[:, :2] - [0, 36]) * PIXELS / SIDE + STORED / 2
    y, x = np.mgrid[:STORED, :STORED]
    oval = np.hypot((x - 96) / 40, (y - 96) / 50) < 1
    pictures = rng.integers(60, 90, (6, STORED, STORED, 3), np.uint8)
    pictures[:, oval] = rng.integers(150, 180, (6, oval.sum(), 3), np.uint8)
    path = tmp_path_factory.mktemp("faces")
    for split in ("train", "val", "test"):
        np.savez(
            path / f"{split}.npz",
            pictures=pictures,
            outlines=np.tile(outline, (6, 1, 1)).astype(np.float16),
            people=np.array([f"person{i // 2}" for i in range(6)]),
            files=np.array([f"clip{i}.mp4" for i in range(6)]),
        )
    return path


@pytest.fixture(scope="module")
def faces(folder: Path) -> FacePictures:
    return load_faces(folder, "train")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unseen", [False, True])
def test_every_kind_changes_the_picture_where_it_covers(faces: FacePictures, kind: str, unseen: bool) -> None:
    found = 0
    for seed in range(6):
        sample = draw_sample(np.random.default_rng(seed), faces, seed % 6, unseen=unseen, kind=kind)
        assert sample.picture.shape == (PIXELS, PIXELS, 3) and sample.picture.dtype == np.uint8
        assert 0.2 < sample.face.mean() < 0.7
        found += bool(sample.covered.any())
    assert found >= 2, "places are random, and what nobody could see is left out"


def test_samples_repeat(faces: FacePictures) -> None:
    first, second = (draw_sample(np.random.default_rng(7), faces, 1) for _ in range(2))
    np.testing.assert_array_equal(first.picture, second.picture)
    np.testing.assert_array_equal(first.covered, second.covered)


def test_people_are_varied_and_stay_whole(faces: FacePictures) -> None:
    rows = faces.pictures[0], faces.outlines[0], faces.pictures[3], faces.outlines[3]
    seen = set()
    for seed in range(12):
        picture, outline = varied(np.random.default_rng(seed), *rows)
        assert picture.shape == rows[0].shape and picture.dtype == np.uint8 and outline.shape == (478, 2)
        assert np.abs(outline - rows[1]).max() < 12
        seen.add(picture.tobytes())
    assert len(seen) > 6, "most samples show somebody new"


def test_a_bent_face_carries_its_landmarks_along() -> None:
    """A disc at each of four landmarks is found where its landmark went."""
    before = np.float32([[60, 60], [130, 66], [64, 128], [120, 120]])
    y, x = np.mgrid[:STORED, :STORED]
    moved = []
    for index, (column, row) in enumerate(before):
        disc = np.exp(-((x - column) ** 2 + (y - row) ** 2) / 18).astype(np.float32)
        bent, after = bend(np.random.default_rng(3), np.repeat(disc[..., None], 3, axis=2), before)
        weight = bent[..., 0] / bent[..., 0].sum()
        assert np.hypot((weight * x).sum() - after[index, 0], (weight * y).sum() - after[index, 1]) < 1
        moved.append(np.hypot(*(after[index] - before[index])))
    assert max(moved) > 1.5


@pytest.mark.parametrize("amount", [0.0, 0.5, 1.0])
def test_light_is_taken_over_in_part_and_details_stay(amount: float) -> None:
    ours, theirs = np.full((64, 64, 3), 100, np.float32), np.full((64, 64, 3), (160, 100, 70), np.float32)
    ours[::2] += 8
    lit = relight(ours, theirs, cells=4, amount=amount)
    expected = ours * ((theirs + 20) / 124) ** amount
    np.testing.assert_allclose(lit, expected, rtol=1e-5)


def test_some_faces_are_free(faces: FacePictures) -> None:
    covered = [draw_sample(np.random.default_rng(seed), faces, 0).covered.any() for seed in range(60)]
    assert 0.4 < np.mean(covered) < 0.9


def test_files_can_be_left_out_and_missing_folders_are_told(folder: Path) -> None:
    assert len(load_faces(folder, "val", ("clip3", "clip5")).people) == 4
    with pytest.raises(InputError, match=r"make it with python -m training.build_face_pictures"):
        load_faces(folder / "elsewhere", "val")


def test_the_stage_learns_and_measures(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight steps on one batch: the losses fall, and the normalisation is measured anew before anybody judges."""
    monkeypatch.setattr("training.stages.occlusion._SETTLING", 2)
    monkeypatch.setattr("training.stages.occlusion._SEEN", 12)
    torch.manual_seed(0)
    stage = OcclusionStage(OcclusionStageConfig(loop=LoopConfig(), faces=str(folder)))
    batch = stage.draw(np.random.default_rng(0), 8)
    optimiser = torch.optim.Adam(stage.network.parameters(), lr=3e-3)
    totals = []
    for _ in range(8):
        losses = stage.network(batch, 0.0).losses
        total = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(float(total.detach()))
    assert totals[-1] < 0.8 * totals[0]
    scores = stage.validate()
    assert not stage.network.training and set(scores) == {"iou", "false"}
    assert scores == occlusion_scores(stage.network.net, stage.unseen, count=12)
    assert all(value.dtype in (torch.float16, torch.int64) for value in stage.exported().values())


def test_the_configuration_needs_no_clips_of_speech() -> None:
    config = stage_config("occlusion", {"loop": {"steps": 5}, "occlusion": {"faces": "f"}, "data": {"prepared": "p"}})
    assert isinstance(config, OcclusionStageConfig) and config.loop.steps == 5 and config.faces == "f"
