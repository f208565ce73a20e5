"""Fine-tuning EAT and EAMM from files in the published layout: what is trained, that it learns, goes on, and is read.

The generators are replaced by small ones with the same interface, or a step would take a minute: everything before the
drawing is as published. THFEM_FULL_SIZE=1 draws with the published ones.
"""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from small_heads import COMPARED, COMPARED_LOOP, FULL_SIZE, LOOP, SAME, make_stage, with_small_generator
from torch import Tensor, nn

from tests.training.made_pairs import speech_and_pictures, warped, write_clip_with_sound
from thfem_core.cli.main import main as thfem
from thfem_core.errors import InputError, WeightsError
from thfem_core.media.file_video import FileVideo
from thfem_core.media.writer import write_video
from thfem_core.talking_head.eat.networks import CHECKPOINT_NETWORKS, EatNetworks
from training.build_pairs import main as build_pairs
from training.config import DataConfig
from training.data.face_windows import FaceWindows
from training.loop import make_accelerator, train
from training.mesh_sync import MeshSyncExpert
from training.stages import eamm, eat
from training.stages.base import Batch
from training.stages.faces import FaceStage, numbered, train_only, unseen_windows

SEARCHED = (Path(__file__).parents[2], Path(__file__).parent)


@pytest.fixture(scope="session")
def pairs(demo_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A happy and a neutral pair of 24 frames each."""
    folder = tmp_path_factory.mktemp("pairs")
    sound, pictures = speech_and_pictures(demo_clip, seconds=Fraction(24, 25), side=160)
    other_sound, other_pictures, _ = warped(sound, pictures, 25)
    write_clip_with_sound(folder / "plain.mp4", pictures, sound)
    write_clip_with_sound(folder / "smiling.mp4", other_pictures, other_sound)
    rows = ["file,actor,emotion,sentence", "plain.mp4,ann,neutral,orbit", "smiling.mp4,ann,happy,orbit"]
    (folder / "clips.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert build_pairs(["csv", str(folder / "clips.csv"), str(folder / "out"), "--by-label", "--max-cost", "1000"]) == 0
    for path in (folder / "out").glob("*/pair.json"):  # a tenth is held out: of two clips, both
        path.write_text(path.read_text().replace('"split": "val"', '"split": "train"'))
    return folder / "out"


FILES = {"eat": "published_eat", "eamm": "converted_eamm"}


@pytest.fixture(scope="module", params=["eat", "eamm"])
def published(request: pytest.FixtureRequest, pairs: Path) -> FaceStage:
    """As it begins, with the published generator."""
    return make_stage(request.param, pairs, request.getfixturevalue(FILES[request.param]))


@pytest.fixture
def stage(published: FaceStage) -> FaceStage:
    """A copy that may be trained, with a small generator."""
    twin = copy.copy(published)
    twin.network = copy.deepcopy(published.network)
    return with_small_generator(twin)


def configured(stage: FaceStage, *, window: int = 1, **settings) -> FaceStage:
    """The stage with other settings and another number of targets."""
    data = replace(stage.config.data, window=window)
    stage.config = stage.network.config = replace(stage.config, data=data, **settings)
    stage.windows = FaceWindows(data=data, split="train")
    return stage


def run(stage: FaceStage, folder: Path, steps: int | None = None) -> dict[str, Tensor]:
    train(stage, LOOP, folder, accelerator=make_accelerator(stage, LOOP, cpu=True), stop_after=steps)
    return {name: value.detach().clone() for name, value in stage.network.state_dict().items()}


def test_only_the_intended_weights_change_and_a_stop_changes_nothing(stage: FaceStage, tmp_path: Path) -> None:
    again = copy.copy(stage)
    again.network, again.adversarial = copy.deepcopy(stage.network), copy.deepcopy(stage.adversarial)
    before = {name: value.clone() for name, value in stage.network.state_dict().items()}
    trained = {name for name, weight in stage.network.named_parameters() if weight.requires_grad}
    first = run(stage, tmp_path, steps=1)
    changed = {name for name in first if not torch.equal(first[name], before[name])}
    assert changed and changed <= trained
    # Not reached: heads of the emotions that no window had, and what dead units hide.
    silent = {name for name in trained - changed if "unshared" not in name and "down_blocks" not in name}
    assert len(silent) < 0.1 * len(trained), silent
    whole = run(stage, tmp_path)
    fresh = run(again, tmp_path)  # the run is finished: another process finds its end
    for name, value in whole.items():
        assert torch.equal(value, fresh[name]), name


class BothBatches:
    """Draws for one process what two draw together."""

    def __init__(self, stage: FaceStage) -> None:
        self.one, self.step = stage.draw, 0

    def __call__(self, rng: np.random.Generator, size: int) -> Batch:
        parts = [self.one(np.random.default_rng([LOOP.seed, self.step, process]), size) for process in (0, 1)]
        self.step += 1
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


@pytest.mark.parametrize("name", ["eat", "eamm"])
def test_two_processes_have_the_gradients_of_one_with_twice_the_batch(
    name: str, pairs: Path, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    files = request.getfixturevalue(FILES[name])
    # Made first: it also stores the head poses, which two processes would both do.
    stage = with_small_generator(make_stage(name, pairs, files, **COMPARED))
    script = Path(__file__).with_name("heads_in_two_processes.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(map(str, SEARCHED))}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", str(script)]
    done = subprocess.run(
        [*command, name, str(pairs), str(files), str(tmp_path / "two")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=3600 if FULL_SIZE else 900,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    stage.draw = BothBatches(stage)  # type: ignore[method-assign]
    train(stage, COMPARED_LOOP, tmp_path / "one", accelerator=make_accelerator(stage, COMPARED_LOOP, cpu=True))
    one, two = mean_gradients(tmp_path / "one"), mean_gradients(tmp_path / "two")
    assert float(one.norm()) > 0 and float((one - two).norm()) < SAME * float(one.norm())


def mean_gradients(run: Path) -> Tensor:
    """Adam's running means of the gradients of all weights that a run trains."""
    (checkpoint,) = run.glob("checkpoint-*")
    state = torch.load(checkpoint / "optimizer.bin", weights_only=True)["state"]
    return torch.cat([each["exp_avg"].flatten() for each in state.values()])


def test_the_loss_falls_on_a_fixed_batch_and_checkpointing_changes_no_gradient(stage: FaceStage) -> None:
    # The small generators draw flat pictures, whose loss hardly depends on what is learned.
    settings = {"latent": 1.0, "pixel": 0.1, "adversarial": 0.0}
    configured(stage, **settings)
    batch = stage.draw(np.random.default_rng(0), 1)
    rate = 3e-3 if isinstance(stage, eat.EatStage) else 1e-3
    optimiser = torch.optim.Adam(stage.parameter_groups(rate))
    losses, gradients = [], []
    for step in range(5):
        configured(stage, **settings, checkpointing=step == 1)
        found = stage.network(batch, 0.0).losses
        assert set(found) == {"latent", "pixel"}
        optimiser.zero_grad()
        total = torch.stack(list(found.values())).sum()
        total.backward()
        losses.append(float(total.detach()))
        if step < 2:
            gradients.append({n: w.grad.clone() for n, w in stage.network.named_parameters() if w.grad is not None})
        if step:
            optimiser.step()
    assert losses[-1] < 0.97 * losses[0], losses
    assert gradients[0].keys() == gradients[1].keys()
    for name, value in gradients[0].items():
        torch.testing.assert_close(value, gradients[1][name], rtol=1e-3, atol=1e-5, msg=name)


def test_every_loss_reaches_the_trained_weights(stage: FaceStage) -> None:
    class Expert(nn.Module):
        def embed_lips(self, faces: Tensor) -> Tensor:
            assert faces.shape[1:] == (15, 48, 96)
            return faces.mean(dim=(2, 3))

        def embed_sound(self, sound: Tensor) -> Tensor:
            return sound[:, 0, :15].abs().mean(dim=2) + 0.1

    configured(stage, window=5, latent=1.0)
    stage.network.expert = Expert()
    output = stage.network(stage.draw(np.random.default_rng(0), 1), 0.0)
    assert output.real is not None and output.fake is not None and stage.adversarial is not None
    losses = {**output.losses, "adversarial": stage.adversarial.generator_loss(output.fake[:1])}
    assert set(losses) == {"pixel", "sync", "latent", "adversarial"}
    trained = [weight for weight in stage.network.parameters() if weight.requires_grad]
    for name, loss in losses.items():
        gradients = torch.autograd.grad(loss, trained, retain_graph=True, allow_unused=True)
        assert any(g is not None and float(g.abs().sum()) > 0 for g in gradients), name


def test_half_precision_leaves_keypoints_as_they_are(stage: FaceStage) -> None:
    configured(stage, latent=1.0, adversarial=0.0)
    batch = stage.draw(np.random.default_rng(0), 1)
    with torch.no_grad():
        whole = stage.network(batch, 0.0).losses
        with torch.autocast("cpu", torch.bfloat16):
            half = stage.network(batch, 0.0).losses
    assert torch.equal(whole["latent"], half["latent"])
    torch.testing.assert_close(whole["pixel"], half["pixel"], rtol=0.02, atol=0.02)


def test_the_packs_own_expert_judges_drawn_faces(stage: FaceStage) -> None:
    configured(stage, window=5, pixel=0.0, latent=0.0, expert="thfem-sync", adversarial=0.0)
    stage.network.expert = MeshSyncExpert()
    batch = stage.draw(np.random.default_rng(0), 1)
    losses = stage.network(batch, 0.0).losses
    assert set(losses) == {"sync"} and 0 < float(losses["sync"].detach()) < 10


def test_the_export_is_what_the_command_reads_and_draws_with(
    published: FaceStage, demo_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "eat" if isinstance(published, eat.EatStage) else "eamm"
    published.network.train()
    assert not any(module.training for module in published.network.modules()), "batch norms keep their statistics"
    models = tmp_path / "models"
    models.mkdir()
    path = models / f"{name}.safetensors"
    published.export(path, {"stage": name})
    again = (eat.trainable_eat if name == "eat" else eamm.trainable_eamm)([path])[0].state_dict()
    for key, value in published.network.net.state_dict().items():
        assert torch.equal(again[key], value), key
    if name == "eat":
        (models / "output_graph.pb").symlink_to(published.config.deepspeech)
    monkeypatch.setenv("THFEM_MODELS", str(models))
    frame, output = tmp_path / "frame.mp4", tmp_path / "o.mp4"
    clip = FileVideo(demo_clip, duration=Fraction(1, 25))
    write_video(clip.frames(), frame, like=clip)
    command = ["edit", str(frame), "-o", str(output), "--emotion", "happy", "--talking-head", name, "--device", "cpu"]
    assert thfem(command) == 0
    before, after = (next(FileVideo(video).frames()).rgb().astype(int) for video in (frame, output))
    assert (np.abs(after - before).max(axis=-1) > 40).mean() > 0.02, "random weights paint in loud colours or grey"


@pytest.mark.parametrize(("preset", "millions"), [("adapters", 0.78), ("paper", 13.95)])
def test_the_parts_of_eat_have_the_papers_sizes(preset: str, millions: float) -> None:
    """Prompt 10.78 M, deformation 2.386 M, style norms 0.777 M; two small adapters besides."""
    with torch.device("meta"):
        net = EatNetworks({name: make() for name, make in CHECKPOINT_NETWORKS.items()}, {})
    train_only(net, eat.PARTS[preset])
    assert sum(w.numel() for w in net.parameters() if w.requires_grad) / 1e6 == pytest.approx(millions, rel=0.01)
    for small, large in (("adapters", "paper"), ("paper", "full")):
        parts = []
        for name in (small, large):
            train_only(net, eat.PARTS[name])
            parts.append({name for name, weight in net.named_parameters() if weight.requires_grad})
        assert parts[0] < parts[1] and not any(n.startswith(("keypoints", "head_pose")) for n in parts[1])


@pytest.mark.parametrize("window", [1, 6, 20])
def test_windows_of_any_length(pairs: Path, window: int) -> None:
    windows = FaceWindows(data=DataConfig(pairs=str(pairs), window=window), split="train")
    rng = np.random.default_rng(0)
    for _ in range(20):
        drawn = windows.draw(rng)
        assert list(drawn.targets) == list(range(drawn.source + 1, drawn.source + 1 + window))
        assert drawn.targets[-1] < len(windows.pairs[drawn.pair].frame_map)
    pictures = windows.pictures(drawn)
    assert pictures["true"].shape == (window, 3, 256, 256) and pictures["boxes"].shape == (window, 4)
    sound = windows.expert_sound(drawn, rng)
    assert bool(sound["sounding"]) == (window >= 5) and sound["sync_first"] <= max(0, window - 5)


def test_without_the_adjacent_prior_sources_lie_anywhere(pairs: Path) -> None:
    windows = FaceWindows(data=DataConfig(pairs=str(pairs), window=5, adjacent=False), split="train")
    rng = np.random.default_rng(0)
    assert len({drawn.source - drawn.targets[0] for drawn in (windows.draw(rng) for _ in range(40))}) > 5


def test_boxes_are_numbered() -> None:
    assert numbered(torch.ones(2, 4)).tolist() == [[0, 1, 1, 1, 1], [1, 1, 1, 1, 1]]


def test_what_is_missing_is_one_clear_line(tmp_path: Path) -> None:
    data = DataConfig(pairs=str(tmp_path))
    with pytest.raises(InputError, match="files is missing"):
        eat.EatStageConfig(data=data, loop=LOOP)
    with pytest.raises(InputError, match=r"data\.pairs is missing"):
        eat.EatStageConfig(data=DataConfig(prepared="x"), loop=LOOP, files=("x",))
    with pytest.raises(InputError, match="every loss is off"):
        eamm.EammStageConfig(data=data, loop=LOOP, files=("x",), pixel=0.0)
    with pytest.raises(InputError, match="no train pairs in"):
        FaceWindows(data=data, split="train")
    with pytest.raises(InputError, match=r"eat\.deepspeech is missing"):
        eat.EatStageConfig(data=data, loop=LOOP, files=("x",))


@pytest.mark.parametrize(("name", "losses"), [("eat", eat.EatLosses), ("eamm", eamm.EammLosses)])
def test_a_missing_expert_names_the_stages_own_setting(name: str, losses: type, tmp_path: Path) -> None:
    data, more = DataConfig(pairs=str(tmp_path)), {"deepspeech": "x"} if name == "eat" else {}
    kind = eat.EatStageConfig if name == "eat" else eamm.EammStageConfig
    config = kind(data=data, loop=LOOP, files=("x",), expert="thfem_sync", **more)
    with pytest.raises(WeightsError, match=f'there is no file thfem_sync; .* set {name}.expert = "thfem-sync"'):
        losses(nn.Identity(), config)


@pytest.mark.parametrize("published", ["eat"], indirect=True)
def test_logits_of_another_deepspeech_are_not_taken(
    published: FaceStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = tmp_path / "other_graph.pb"
    graph.write_bytes(b"another")
    monkeypatch.setattr(eat, "trainable_eat", lambda files: (copy.deepcopy(published.network.net), None))
    monkeypatch.setattr(eat, "load_deepspeech", lambda path: nn.Identity())
    monkeypatch.setattr(eat, "computed_logits", lambda network: lambda speech: np.full((60, 29), 7, np.float32))
    other = eat.EatStage(replace(published.config, deepspeech=str(graph)))
    ours, theirs = (each.draw(np.random.default_rng(0), 1)["speech"] for each in (published, other))
    assert (theirs == 7).any() and not (ours == 7).any()


@pytest.mark.parametrize("kept", [0, 100, 1000])
def test_a_damaged_array_beside_a_pair_is_one_clear_line(kept: int, tmp_path: Path) -> None:
    path, rows = tmp_path / "rows.npy", np.arange(600.0)
    assert np.array_equal(eat.kept_array(path, lambda: rows), rows)
    assert np.array_equal(eat.kept_array(path, lambda: rows + 1), rows), "what is there is not made again"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"rows\.npy is damaged .*; delete it, and it is made again"):
        eat.kept_array(path, lambda: rows)


def test_only_where_no_pair_is_held_out_are_training_pairs_measured(
    pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = DataConfig(pairs=str(shutil.copytree(pairs, tmp_path / "pairs")), window=1)
    assert unseen_windows(data).split == "train"
    assert "is held out: training pairs are measured" in capsys.readouterr().err
    facts = next(Path(data.pairs).glob("*/pair.json"))
    facts.write_text(facts.read_text().replace('"split": "train"', '"split": "val"'))
    assert unseen_windows(data).split == "val"
    assert not capsys.readouterr().err
    arrays = facts.with_name("pair.npz")
    arrays.write_bytes(arrays.read_bytes()[:1000])
    with pytest.raises(InputError, match="is damaged"):
        unseen_windows(data)
