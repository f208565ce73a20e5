"""The stages on two tiny prepared clips: what a window holds, that they learn, stop, go on and export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from thfem_core.errors import InputError
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis
from thfem_core.talking_head.mouth.networks import load_renderer
from thfem_core.talking_head.mouth.region import WIDE_PIXELS
from thfem_core.talking_head.mouth.renderer import RendererConfig, warp_only
from training.config import DataConfig, LoopConfig
from training.data.clips import load_clips
from training.stages.renderer import MOUTH, RendererStage, RendererStageConfig, cut, middle, window_tensors
from training.train_thg import main

NARROW = RendererConfig(widths=(8, 8, 8, 8))


class Colours(torch.nn.Module):
    """A sync expert that is not 200 MB: embeds the mean colours of the faces, and the sound's bands."""

    def embed_lips(self, faces: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(faces.mean(dim=(2, 3)), dim=1)

    def embed_sound(self, sound: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(sound[:, 0, :15].abs().mean(dim=2) + 0.1, dim=1)


@pytest.fixture(scope="module")
def expert_file() -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.stages.renderer.load_expert", lambda path, instead: Colours())
        yield Path("lipsync_expert.pth")


def renderer_task(prepared: Path, **settings) -> RendererStage:
    torch.manual_seed(0)
    data = DataConfig(prepared=str(prepared), window=settings.pop("window", 5), adjacent=settings.pop("adjacent", True))
    config = RendererStageConfig(data=data, loop=LoopConfig(), network=NARROW, **settings)
    return RendererStage(config, load_mouth_basis())


@pytest.fixture(scope="module")
def task(prepared: Path, expert_file: Path) -> RendererStage:
    return renderer_task(prepared, expert=str(expert_file))


def difference(a: torch.Tensor, b: torch.Tensor) -> float:
    """Mean absolute difference in grey levels."""
    return float((a - b).abs().mean() * 255)


def test_a_frame_as_its_own_target_is_drawn_as_it_is(task: RendererStage) -> None:
    still = replace(task.config, jitter=0.0)
    window = window_tensors(task.clips[0], 9, np.array([9]), still, np.random.default_rng(0))
    source = torch.from_numpy(window["source"])[None].float() / 255
    true = torch.from_numpy(window["true"]) / 255
    assert difference(warp_only(source, torch.from_numpy(window["flows"])), true) < 0.01
    assert difference(middle(source, true.shape[-1]), true) == 0
    lips = torch.from_numpy(window["target_masks"])[0, 1] > 0.99
    alpha = torch.from_numpy(window["alpha"])[0, 0]
    assert float(alpha[lips].min()) > 0.5 and float(alpha[0].max()) == 0
    row, column = window["corner"][0]
    assert bool(lips[row : row + MOUTH, column : column + MOUTH].sum() > 0.99 * lips.sum())


def test_the_warp_brings_the_source_nearer_to_its_targets(task: RendererStage) -> None:
    """Mean over all windows of the clip, on the lips."""
    still = replace(task.config, jitter=0.0)
    errors = []
    for source in range(0, task.clips[0].frames - 5, 4):
        window = window_tensors(task.clips[0], source, source + 1 + np.arange(5), still, np.random.default_rng(0))
        picture = torch.from_numpy(window["source"])[None].float() / 255
        warped = warp_only(picture.expand(5, -1, -1, -1), torch.from_numpy(window["flows"]))
        lips = torch.from_numpy(window["target_masks"])[:, 1:]
        true = torch.from_numpy(window["true"]) / 255
        kept = middle(picture, true.shape[-1])
        errors.append([float(((x - true).abs() * lips).sum() / lips.sum()) for x in (warped, kept)])
    warped, kept = np.mean(errors, axis=0)
    assert warped < 0.9 * kept


def test_batches_hold_windows_one_after_the_other(task: RendererStage) -> None:
    batch = task.draw(np.random.default_rng(3), 2)
    shapes = {name: tuple(value.shape) for name, value in batch.items()}
    assert shapes == {
        "source": (2, 3, WIDE_PIXELS, WIDE_PIXELS),
        "source_mask": (2, WIDE_PIXELS, WIDE_PIXELS),
        "true": (10, 3, 128, 128),
        "whole": (10, 3, WIDE_PIXELS, WIDE_PIXELS),
        "flows": (10, 3, 128, 128, 2),
        "target_masks": (10, 2, 128, 128),
        "alpha": (10, 1, 128, 128),
        "corner": (10, 2),
        "sound": (2, 1, 80, 16),
        "sounding": (2,),
    }
    assert torch.equal(middle(batch["whole"], 128), batch["true"])
    again = task.draw(np.random.default_rng(3), 2)
    assert all(torch.equal(value, again[name]) for name, value in batch.items())


def sources_and_targets(task: RendererStage, monkeypatch: pytest.MonkeyPatch, count: int) -> list[tuple[int, int]]:
    """Source and first target of windows as drawn."""
    seen = []

    def note(clip, source, targets, config, rng):
        assert 0 <= source < clip.frames and targets[0] >= 0 and targets[-1] < clip.frames
        assert list(np.diff(targets)) == [1] * (task.config.data.window - 1)
        seen.append((source, int(targets[0])))
        return {"source": np.zeros(1)}

    monkeypatch.setattr("training.stages.renderer.window_tensors", note)
    task.draw(np.random.default_rng(0), count)
    return seen


def test_sampling_is_adjacent(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Source i, targets from i + 1 on; a share of them farther away."""
    near = sources_and_targets(renderer_task(prepared, far=0.0), monkeypatch, 60)
    assert {target - source for source, target in near} == {1}
    mixed = sources_and_targets(renderer_task(prepared, far=0.5), monkeypatch, 60)
    assert 15 < sum(target - source == 1 for source, target in mixed) < 50
    assert min(target - source for source, target in mixed) == 1


def test_sampling_without_the_adjacent_prior(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = sources_and_targets(renderer_task(prepared, adjacent=False, far=0.0), monkeypatch, 60)
    assert sum(target < source for source, target in free) > 10


def test_a_few_targets_in_a_row_stand_for_a_long_window(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = renderer_task(prepared, window=20, far=0.0, drawn=5)
    batch = task.draw(np.random.default_rng(0), 2)
    assert batch["true"].shape[0] == 10 and batch["sounding"].all()
    starts = set()

    def note(clip, source, targets, config, rng):
        assert list(np.diff(targets)) == [1] * 4
        starts.add(int(targets[0]) - source)
        return {"source": np.zeros(1)}

    monkeypatch.setattr("training.stages.renderer.window_tensors", note)
    task.draw(np.random.default_rng(0), 200)
    assert starts == set(range(1, 17))
    with pytest.raises(InputError, match=r"renderer\.drawn is 6; give 0 to 5"):
        renderer_task(prepared, drawn=6)


def test_training_goes_on_from_a_file(prepared: Path, tmp_path: Path) -> None:
    first = renderer_task(prepared)
    path = tmp_path / "renderer.safetensors"
    first.export(path, {"config": json.dumps({"renderer": {"network": {"widths": NARROW.widths}}})})
    again = renderer_task(prepared, start=str(path))
    for (name, ours), theirs in zip(again.network.net.named_parameters(), first.network.net.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs.half().float(), msg=name)
        assert ours.requires_grad
    wide = RendererStageConfig(data=DataConfig(prepared=str(prepared)), loop=LoopConfig(), start=str(path))
    with pytest.raises(InputError, match=r"renderer\.start, .* has the sizes"):
        RendererStage(wide, load_mouth_basis())


def test_clips_shorter_than_the_window_are_left_out(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(sources_and_targets(renderer_task(prepared, window=29), monkeypatch, 20)) == 20
    with pytest.raises(InputError, match="no train clips"):
        renderer_task(prepared, window=60)


def test_the_losses_of_equation_6(task: RendererStage) -> None:
    """All four are there when their helpers are; each moves the network."""
    batch = task.draw(np.random.default_rng(1), 1)
    assert bool(batch["sounding"].all())
    assert set(task.network(batch, 0.0).losses) == {"pixel", "sync"}
    output = task.network(batch, 0.9)
    losses = {**output.losses, "adversarial": task.adversarial.generator_loss(output.fake)}
    assert set(losses) == {"pixel", "sync", "adversarial"}
    last = task.network.net.head[2].bias
    for name, loss in losses.items():
        (gradient,) = torch.autograd.grad(loss, last, retain_graph=True)
        assert float(gradient.abs().sum()) > 0, name
    assert not any(weight.grad is not None for weight in task.adversarial.parameters())
    task.adversarial(output.real, output.fake.detach()).backward()
    assert all(weight.grad is not None for weight in task.adversarial.parameters())
    assert last.grad is None
    task.adversarial.zero_grad()


def test_the_weights_of_the_losses_are_those_of_the_configuration(prepared: Path, expert_file: Path) -> None:
    values = []
    for factor in (1.0, 2.0):
        weighted = renderer_task(prepared, expert=str(expert_file), pixel=3 * factor, sync=0.5 * factor)
        values.append(weighted.network(weighted.draw(np.random.default_rng(1), 1), 0.0).losses)
    for name in ("pixel", "sync"):
        torch.testing.assert_close(2 * values[0][name], values[1][name])


def test_the_sync_loss_sees_the_pasted_face(task: RendererStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing drawn where alpha is 0 reaches the expert; what surrounds the region does."""
    batch = task.draw(np.random.default_rng(1), 1)
    seen = []
    expert = task.network.expert
    embed = expert.embed_lips
    monkeypatch.setattr(expert, "embed_lips", lambda faces: seen.append(faces.detach()) or embed(faces))
    task.network(batch, 0.0)
    task.network({**batch, "alpha": torch.zeros_like(batch["alpha"])}, 0.0)
    task.network({**batch, "alpha": torch.zeros_like(batch["alpha"]), "whole": 255 - batch["whole"]}, 0.0)
    from training.sync_expert import lower_faces

    torch.testing.assert_close(seen[1], lower_faces(batch["whole"][None].float() / 255))
    assert not torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[2], seen[1])


def test_cut_takes_the_mouths_square() -> None:
    picture = torch.arange(3 * 128 * 128).reshape(3, 128, 128)
    assert torch.equal(cut(picture, torch.tensor([10, 20])), picture[:, 10 : 10 + MOUTH, 20 : 20 + MOUTH])


def write_config(folder: Path, prepared: Path, expert: Path | str = "") -> Path:
    path = folder / "tiny.toml"
    path.write_text(
        f"""
        runs = "{folder}/runs"
        [data]
        prepared = "{prepared}"
        [loop]
        steps = 2
        batch = 1
        warmup = 1
        [renderer]
        expert = "{expert}"
        adversarial_from = 0.4
        [renderer.network]
        widths = [8, 8, 8, 8]
        """,
        encoding="utf-8",
    )
    return path


def test_the_command_trains_stops_goes_on_and_exports_what_the_node_loads(
    prepared: Path, expert_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path, prepared, expert_file)
    command = ["--config", str(config), "--stage", "renderer", "--cpu", "--seed", "3"]
    assert main([*command, "--steps", "1"]) == 0
    assert "stopped at step 1 of 2" in capsys.readouterr().out
    assert not (tmp_path / "runs" / "renderer.safetensors").exists()
    assert main(command) == 0
    assert "psnr" in capsys.readouterr().out
    path = tmp_path / "runs" / "renderer.safetensors"
    net = load_renderer(path)
    assert net.config == NARROW
    (checkpoint,) = (tmp_path / "runs" / "renderer").glob("checkpoint-*")
    average = torch.load(checkpoint / "custom_checkpoint_1.pkl", weights_only=False)
    for number, value in enumerate(net.parameters()):
        torch.testing.assert_close(value, average[f"module.{number}"], rtol=1e-3, atol=1e-6)
    with safe_open(path, framework="pt") as file:
        notes = file.metadata()
    assert notes["stage"] == "renderer" and notes["seed"] == "3" and "psnr" in json.loads(notes["unseen"])
    assert "CC BY-NC" in notes["licence"]
    assert list((tmp_path / "runs" / "renderer").glob("events*"))
    assert not list(tmp_path.rglob("*.part"))


def test_validation_and_strips(task: RendererStage) -> None:
    task.network.eval()
    scores = task.validate()
    assert scores["psnr"] > 15 and scores["psnr_warp"] > 15
    picture = task.preview()
    assert picture.shape == (128, 10 * 128, 3) and picture.dtype == np.uint8
    clip = task.unseen[0]
    source = clip.frames // 3
    np.testing.assert_array_equal(picture[:, :128], clip.clip.regions[source, 20:148, 20:148])
    np.testing.assert_array_equal(picture[:, 128:256], clip.clip.regions[source + 1, 20:148, 20:148])


@pytest.mark.parametrize(
    ("limits", "sounding"), [({"min_sync": 0.95}, False), ({"max_lag": 3}, True), ({"min_sync": 0.2}, True)]
)
def test_limits_of_the_configuration_decide_whose_sound_the_sync_loss_hears(
    prepared: Path, limits: dict[str, float], sounding: bool
) -> None:
    """The prepared clips have a sync of 0.9 at no lag."""
    clips = load_clips(DataConfig(prepared=str(prepared), **limits), "train", load_mouth_basis(), keep=lambda _: True)
    assert [clip.sync_mel is not None for clip in clips] == [sounding]


def test_a_limit_that_lets_a_weak_clip_in_reaches_the_sync_loss(prepared: Path, tmp_path: Path) -> None:
    with np.load(prepared / "anna.npz") as stored:
        np.savez(tmp_path / "weak.npz", **{**dict(stored), "sync": 0.1, "lag": 4})
    for limits, sounding in (({}, False), ({"min_sync": 0.05, "max_lag": 5}, True)):
        data = DataConfig(prepared=str(tmp_path), **limits)
        (clip,) = load_clips(data, "train", load_mouth_basis(), keep=lambda _: True)
        assert (clip.sync_mel is not None) == sounding
