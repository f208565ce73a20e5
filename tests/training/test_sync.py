"""The sync stage: what it draws, that it learns, stops and goes on, how it is scored, and that it can teach lips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from thfem_core.metrics.judges.thfem_sync.network import ThfemSync, ThfemSyncConfig
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis
from training.config import DataConfig, LoopConfig
from training.loop import make_accelerator, train
from training.losses import lip_sync_loss
from training.stages.sync import (
    SyncStage,
    SyncStageConfig,
    expert_scores,
    mirrored_coefficients,
    offset_hits,
    pair_scores,
    windows_of,
)


def sync_task(prepared: Path, steps: int = 4, **changes) -> SyncStage:
    torch.manual_seed(0)
    loop = LoopConfig(steps=steps, batch=2, lr=4e-3, warmup=1, ema=0.5, log_every=1, validate_every=1000)
    network = ThfemSyncConfig(width=16, size=6, dropout=0.1)
    config = SyncStageConfig(
        data=DataConfig(prepared=str(prepared)), loop=loop, network=network, windows=(5,), segment=20, **changes
    )
    return SyncStage(config, load_mouth_basis())


def trained(task: SyncStage, folder: Path, stop_after: int | None = None) -> dict[str, torch.Tensor]:
    loop = task.config.loop
    train(task, loop, folder, accelerator=make_accelerator(task, loop, cpu=True), stop_after=stop_after)
    return {name: value.clone() for name, value in task.network.state_dict().items()}


def test_the_speech_encoder_is_taken_over_and_left_alone(prepared: Path, tmp_path: Path) -> None:
    task = sync_task(prepared)
    before = {name: value.clone() for name, value in task.network.net.encoder.state_dict().items()}
    straight = trained(task, tmp_path / "straight")
    assert before and all(torch.equal(value, straight[f"net.encoder.{name}"]) for name, value in before.items())
    trained(sync_task(prepared), tmp_path / "halved", stop_after=2)
    resumed = trained(sync_task(prepared), tmp_path / "halved")
    for name, value in straight.items():
        assert torch.equal(value, resumed[name]), name


def test_a_segment_is_a_mouth_and_its_sound(prepared: Path) -> None:
    task = sync_task(prepared, gain=0.0, noise=0.0)
    clip, net = task.clips[0], task.config.network
    batch = task.draw(np.random.default_rng(0), 6)
    assert batch["columns"].shape == (6, net.steps + 4 * 19, 80) and batch["mouths"].shape == (6, 20, 16)
    assert bool(batch["inside"].any()) and set(batch["window"].tolist()) == {5}
    # each moment lies between two frames of the clip, or of its mirror image
    both = [torch.from_numpy(rows) for rows in (clip.coefficients, clip.coefficients @ task.mirror)]
    for row in batch["mouths"]:
        assert any(bool(((row > x.amin(0) - 1e-4) & (row < x.amax(0) + 1e-4)).all()) for x in both)


def test_mirrored_twice_is_the_same_mouth() -> None:
    basis = load_mouth_basis()
    mirror = mirrored_coefficients(basis)
    opening = np.eye(basis.size, dtype=np.float32)[0]  # the first mode opens the mouth, on both sides alike
    np.testing.assert_allclose(opening @ mirror, opening, atol=0.1)
    mouths = np.random.default_rng(0).normal(size=(50, basis.size)).astype(np.float32)
    again = mouths @ mirror @ mirror
    assert np.corrcoef(again.ravel(), mouths.ravel())[0, 1] > 0.95
    assert not np.allclose(mouths @ mirror, mouths, atol=0.3)


def test_the_sync_stage_learns_a_batch(prepared: Path) -> None:
    task = sync_task(prepared)
    task.network.net = ThfemSync(ThfemSyncConfig(width=16, size=6, dropout=0.0))
    batch = task.draw(np.random.default_rng(0), 6)
    optimiser = torch.optim.Adam(task.network.parameters(), lr=4e-3)
    history = []
    for _ in range(60):
        losses = task.network(batch, 0.0).losses
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
        history.append({name: float(value.detach()) for name, value in losses.items()})
    for name in ("sync", "ranking"):
        assert history[-1][name] < 0.7 * history[0][name], name


def test_scores_of_a_perfect_and_a_deaf_expert(prepared: Path) -> None:
    task = sync_task(prepared)
    expert = task.network.net
    with torch.no_grad():
        expert.scale.fill_(2.0)
        expert.shift.fill_(-3.0)
    assert pair_scores(expert, torch.eye(30)) == (1.0, 1.0)
    assert pair_scores(expert, torch.zeros(30, 30)) == (0.5, 0.0)
    assert pair_scores(expert, torch.eye(3)) is None
    assert offset_hits(torch.eye(40), 1) and all(offset_hits(torch.eye(40), 1))
    late = torch.eye(60).roll(4, dims=1)
    assert not any(offset_hits(late[:50], 25)) and offset_hits(torch.eye(38), 25) == []
    scores = expert_scores(expert, task.unseen)
    assert {f"{name}_{window}" for name in ("accuracy", "ranking", "offset") for window in (5, 25)} < set(scores)


def test_windows_overlap() -> None:
    rows = torch.arange(24.0).reshape(1, 8, 3)
    windows = windows_of(rows, 5)
    assert windows.shape == (1, 4, 5, 3)
    torch.testing.assert_close(windows[0, 2], rows[0, 2:7])


@pytest.mark.parametrize("window", [5, 20])
def test_the_expert_can_teach_lips(window: int) -> None:
    torch.manual_seed(0)
    expert = ThfemSync(ThfemSyncConfig(width=16, size=6)).eval().requires_grad_(False)
    heard = expert.sound_features(torch.randn(2, expert.config.steps + 4 * (window - 1), 80))
    mouths = torch.randn(2, window, 16, requires_grad=True)
    optimiser = torch.optim.Adam([mouths], lr=0.05)
    first = float(lip_sync_loss(expert, mouths, heard).detach())
    for _ in range(40):
        loss = lip_sync_loss(expert, mouths, heard)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert 0 < float(loss.detach()) < 0.5 * first
