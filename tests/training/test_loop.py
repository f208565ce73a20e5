"""The training loop: the same steps however often it is stopped, and on however many processes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny_stage import TinyStage, WholeBatchStage
from torch import nn

from thfem_core.errors import InputError, OutputError
from training.config import LoopConfig
from training.loop import averaged_model, checkpoints, lr_factor, make_accelerator, train
from training.stages.base import Stage

REPO = Path(__file__).parents[2]
CONFIG = LoopConfig(steps=10, batch=4, lr=1e-2, warmup=3, ema=0.9, log_every=2, validate_every=100)


def run(stage: Stage, folder: Path, config: LoopConfig = CONFIG, steps: int | None = None) -> dict[str, Any]:
    """Train, and read the checkpoint."""
    train(stage, config, folder, accelerator=make_accelerator(stage, config, cpu=True), stop_after=steps)
    return stored(folder)


def stored(folder: Path) -> dict[str, Any]:
    """The only checkpoint of a run: trained weights, average, schedules and optimisers."""
    (path,) = checkpoints(folder)
    custom = [torch.load(file, weights_only=False) for file in sorted(path.glob("custom_checkpoint_*.pkl"))]
    optimisers = [torch.load(file, weights_only=False) for file in sorted(path.glob("optimizer*.bin"))]
    names = ("trained", "average", "schedule", "schedule of the discriminator")
    return dict(zip(names, custom, strict=True)) | {"optimisers": optimisers}


def assert_same(ours: Any, theirs: Any, path: str = "checkpoint") -> None:
    """Bit for bit, whatever is nested."""
    assert type(ours) is type(theirs), path
    if isinstance(ours, torch.Tensor):
        assert torch.equal(ours, theirs), path
    elif isinstance(ours, dict):
        assert ours.keys() == theirs.keys(), path
        for key in ours:
            assert_same(ours[key], theirs[key], f"{path}.{key}")
    elif isinstance(ours, list | tuple):
        assert len(ours) == len(theirs), path
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            assert_same(*pair, f"{path}[{number}]")
    else:
        assert ours == theirs, path


@pytest.mark.parametrize(
    "config", [CONFIG, replace(CONFIG, accumulate=2, workers=1, schedule="steps", drops=(0.4, 0.8))]
)
def test_ten_steps_are_five_and_five(tmp_path: Path, config: LoopConfig) -> None:
    """Weights, averages, both optimisers, the discriminator's state: equal to the bit, whatever validates between."""
    whole = run(TinyStage(), tmp_path / "whole", config)
    run(TinyStage(), tmp_path / "parts", config, steps=5)
    parts = run(TinyStage(first_weights=7), tmp_path / "parts", replace(config, validate_every=3), steps=5)
    assert whole["trained"]["step"] == 10
    assert set(whole["trained"]["network"]) == {"net.0.weight", "net.0.bias", "net.3.weight", "net.3.bias"}
    assert_same(whole, parts)


def test_half_precision_keeps_losses_and_fakes(tmp_path: Path) -> None:
    config = replace(CONFIG, precision="bf16", steps=3)
    stage = TinyStage(opponent_from=0.0)
    found = run(stage, tmp_path, config)
    assert found["trained"]["step"] == 3 and found["trained"]["network"]["net.0.weight"].dtype == torch.float32


def test_something_is_learnt_and_both_sides_take_part(tmp_path: Path) -> None:
    first = run(TinyStage(), tmp_path, replace(CONFIG, steps=200), steps=1)
    last = run(TinyStage(), tmp_path, replace(CONFIG, steps=200))
    name = "net.parametrizations.weight.original"
    assert not torch.equal(first["trained"]["discriminator"][name], last["trained"]["discriminator"][name])
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    errors = [event.value for event in events.Scalars("train/pixel")]
    assert sum(errors[-10:]) < 0.5 * sum(errors[:10])
    assert {"train/adversarial", "train/discriminator", "unseen/size"} <= set(events.Tags()["scalars"])
    assert events.Tags()["images"] == ["preview"]


def test_the_discriminator_waits_for_its_turn(tmp_path: Path) -> None:
    stage = TinyStage(opponent_from=0.5)
    before = {name: value.clone() for name, value in stage.adversarial.state_dict().items()}
    assert_same(dict(run(stage, tmp_path, steps=5)["trained"]["discriminator"]), before)
    assert run(stage, tmp_path, steps=1)["optimisers"][1]["state"]


def test_validation_sees_the_averaged_weights(tmp_path: Path) -> None:
    stage = TinyStage()
    found = run(stage, tmp_path)
    average = [found["average"][f"module.{i}"].flatten() for i in range(4)]
    assert torch.equal(stage.validated[-1], torch.cat(average))
    assert torch.equal(torch.cat([value.flatten() for value in stage.network.net.parameters()]), torch.cat(average))
    assert not torch.equal(found["trained"]["network"]["net.0.weight"], found["average"]["module.0"])


def test_a_finished_run_is_not_trained_any_further(tmp_path: Path) -> None:
    whole = run(TinyStage(), tmp_path)
    assert_same(run(TinyStage(first_weights=9), tmp_path), whole)


def test_an_interrupted_checkpoint_leaves_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(TinyStage(), tmp_path, steps=4)

    def full_disk(state: Any, path: Any, *_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(torch, "save", full_disk)
        run(TinyStage(), tmp_path, steps=4)
    assert stored(tmp_path)["trained"]["step"] == 4
    assert_same(run(TinyStage(), tmp_path), run(TinyStage(), tmp_path / "whole"))
    assert not list(tmp_path.rglob("*.part"))


def test_a_checkpoint_of_another_network_is_one_clear_line(tmp_path: Path) -> None:
    run(TinyStage(), tmp_path, steps=1)
    stage = TinyStage()
    stage.network.net[0].requires_grad_(False)
    with pytest.raises(
        InputError, match=r"checkpoint-00000001 is damaged, or does not fit .* delete it to begin anew"
    ) as caught:
        run(stage, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["custom_checkpoint_0.pkl", "optimizer.bin"])
@pytest.mark.parametrize("kept", [b"", b"half a checkpo", 300])
def test_a_damaged_checkpoint_is_one_line_without_advice_to_programmers(
    tmp_path: Path, name: str, kept: bytes | int
) -> None:
    run(TinyStage(), tmp_path, steps=1)
    path = checkpoints(tmp_path)[0] / name
    path.write_bytes(path.read_bytes()[:kept] if isinstance(kept, int) else kept)
    with pytest.raises(InputError, match="is damaged, or does not fit") as caught:
        run(TinyStage(), tmp_path)
    said = str(caught.value)
    assert "\n" not in said and "weights_only" not in said and len(said) < 300 + len(str(path))


@pytest.mark.parametrize("blocked", ["tiny.safetensors/", "file"])
def test_an_export_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path: Path, blocked: str) -> None:
    (tmp_path / "tiny.safetensors").mkdir()
    (tmp_path / "file").touch()
    path = tmp_path / blocked if blocked.endswith("/") else tmp_path / "file" / "tiny.safetensors"
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputError, match=r"cannot write .*tiny\.safetensors"):
        TinyStage().export(path, {})
    assert sorted(tmp_path.rglob("*")) == before


def test_an_export_is_read_again(tmp_path: Path) -> None:
    stage = TinyStage()
    stage.export(tmp_path / "tiny.safetensors", {"stage": "tiny"})
    assert_same(load_file(tmp_path / "tiny.safetensors"), dict(stage.exported()))
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.safetensors"]


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise SafetensorError('Error while serializing: IoError(Os { code: 28, message: "No space left on device" })')

    monkeypatch.setattr("training.stored.save_file", full)
    with pytest.raises(OutputError, match=r"cannot write .*No space left"):
        TinyStage().export(tmp_path / "tiny.safetensors", {})
    assert not list(tmp_path.iterdir())


def test_an_error_in_the_data_comes_out(tmp_path: Path) -> None:
    class Broken(TinyStage):
        def draw(self, rng, size):
            raise InputError("no such clip")

    with pytest.raises(InputError, match="no such clip"):
        run(Broken(), tmp_path)


@given(st.integers(1, 500), st.integers(0, 500))
def test_learning_rate_rises_to_its_peak_and_falls_to_nothing(steps: int, warmup: int) -> None:
    config = LoopConfig(steps=steps, warmup=warmup)
    rates = [lr_factor(config, step) for step in range(steps)]
    assert all(0 < rate <= 1 + 1e-9 for rate in rates)
    peak = min(max(warmup - 1, 0), steps - 1)
    assert all(after >= before * (1 - 1e-9) for before, after in pairwise(rates[: peak + 1]))
    assert all(after <= before * (1 + 1e-9) for before, after in pairwise(rates[peak:]))
    if warmup < steps:
        assert rates[peak] == pytest.approx(1)
        assert lr_factor(config, steps) == pytest.approx(0, abs=1e-12)


def test_the_paper_drops_the_learning_rate_in_steps() -> None:
    config = LoopConfig(steps=200, warmup=0, schedule="steps", drops=(0.9,))
    assert [lr_factor(config, step) for step in (0, 179, 180, 199)] == pytest.approx([1, 1, 0.1, 0.1])


def test_the_average_forgets_the_first_weights() -> None:
    weight = nn.Parameter(torch.full((1,), 100.0))
    average = averaged_model(nn.ParameterList([weight]), 0.999)
    average.update_parameters(nn.ParameterList([weight]))
    weight.data.fill_(1.0)
    for _ in range(30):
        average.update_parameters(nn.ParameterList([weight]))
    assert average.module[0].item() == pytest.approx(1.0, abs=0.1)


def test_accumulated_batches_are_one_large_batch(tmp_path: Path) -> None:
    config = LoopConfig(steps=4, batch=4, accumulate=2, warmup=2, lr=1e-2, seed=3)

    class Halves(TinyStage):
        """Both micro-batches of a step, together."""

        def draw(self, rng, size):
            self.drawn = getattr(self, "drawn", -1) + 1
            parts = [
                TinyStage.draw(self, np.random.default_rng([3, 2 * self.drawn + micro, 0]), size) for micro in (0, 1)
            ]
            return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    small = run(TinyStage(dropout=0.0, opponent_from=2), tmp_path / "small", config)
    large = run(Halves(dropout=0.0, opponent_from=2), tmp_path / "large", replace(config, accumulate=1))
    for name, value in large["trained"]["network"].items():
        torch.testing.assert_close(small["trained"]["network"][name], value, rtol=1e-4, atol=1e-6)


def test_two_processes_are_one_with_twice_the_batch(tmp_path: Path) -> None:
    """Two CPU processes through torchrun, stopped and resumed once, against one that sees both their batches."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    script = Path(__file__).with_name("two_processes.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{REPO}{os.pathsep}{script.parent}"}
    done = subprocess.run(
        [*command, str(script), str(tmp_path / "two")], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    two = stored(tmp_path / "two")
    config = LoopConfig(steps=6, batch=4, warmup=2, lr=1e-2, seed=3)
    one = run(WholeBatchStage(2, config.seed, dropout=0.0), tmp_path / "one", config)
    assert two["trained"]["step"] == one["trained"]["step"] == 6
    for part in ("network", "discriminator"):
        for name, value in one["trained"][part].items():
            torch.testing.assert_close(two["trained"][part][name], value, rtol=1e-4, atol=1e-5, msg=f"{part}.{name}")
    for name, value in one["average"].items():
        torch.testing.assert_close(two["average"][name], value, rtol=1e-4, atol=1e-5, msg=f"average.{name}")
