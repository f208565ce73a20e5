"""The training loop: the same steps however often it is stopped, and on however many processes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny_task import TinyTask, WholeBatchTask

from thfem_core.errors import InputError
from training.thg.config import LoopConfig
from training.thg.loop import Average, Task, learning_rate, train

REPO = Path(__file__).parents[2]
CONFIG = LoopConfig(steps=10, batch=4, lr=1e-2, warmup=3, ema=0.9, log_every=2, validate_every=100, threads=2)


def run(task: Task, folder: Path, config: LoopConfig = CONFIG, steps: int | None = None) -> dict[str, Any]:
    """Train, and read the checkpoint."""
    train(task, config, folder, accelerator=Accelerator(cpu=True), stop_after=steps)
    return torch.load(folder / "checkpoint.pt", weights_only=True)


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


def test_ten_steps_are_five_and_five(tmp_path: Path) -> None:
    """Weights, averages, both optimisers, the adversary's own state: all equal to the bit, and so is what validation
    in between leaves."""
    whole = run(TinyTask(), tmp_path / "whole")
    run(TinyTask(), tmp_path / "parts", steps=5)
    parts = run(TinyTask(first_weights=7), tmp_path / "parts", replace(CONFIG, validate_every=3), steps=5)
    assert whole["step"] == 10
    assert_same(whole, parts)


def test_something_is_learnt_and_both_sides_take_part(tmp_path: Path) -> None:
    first = run(TinyTask(), tmp_path, replace(CONFIG, steps=200), steps=1)
    last = run(TinyTask(), tmp_path, replace(CONFIG, steps=200))
    assert not torch.equal(
        first["adversary"]["net.parametrizations.weight.original"],
        last["adversary"]["net.parametrizations.weight.original"],
    )
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    errors = [event.value for event in events.Scalars("train/pixel")]
    assert sum(errors[-10:]) < 0.5 * sum(errors[:10])
    assert {"train/adversarial", "train/critic", "unseen/size"} <= set(events.Tags()["scalars"])
    assert events.Tags()["images"] == ["strip"]


def test_the_adversary_waits_for_its_turn(tmp_path: Path) -> None:
    task = TinyTask(opponent_from=0.5)
    before = {name: value.clone() for name, value in task.adversary.state_dict().items()}
    assert_same(dict(run(task, tmp_path, steps=5)["adversary"]), before)
    assert run(task, tmp_path, steps=1)["adversary_optimiser"]["state"]


def test_validation_sees_the_averaged_weights(tmp_path: Path) -> None:
    task = TinyTask()
    network, steps = train(task, CONFIG, tmp_path, accelerator=Accelerator(cpu=True))
    stored = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    averaged = torch.cat([stored["average"][f"net.{name}"].flatten() for name, _ in network.net.named_parameters()])
    assert steps == 10
    assert torch.equal(task.validated[-1], averaged)
    assert torch.equal(torch.cat([value.flatten() for value in network.net.parameters()]), averaged)
    assert not torch.equal(stored["network"]["net.0.weight"], stored["average"]["net.0.weight"])


def test_a_finished_run_is_not_trained_any_further(tmp_path: Path) -> None:
    whole = run(TinyTask(), tmp_path)
    assert_same(run(TinyTask(first_weights=9), tmp_path), whole)


def test_an_interrupted_checkpoint_leaves_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(TinyTask(), tmp_path, steps=4)

    def full_disk(state: Any, path: Path) -> None:
        path.write_bytes(b"half a checkpo")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(torch, "save", full_disk)
        run(TinyTask(), tmp_path, steps=4)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 4
    assert_same(run(TinyTask(), tmp_path), run(TinyTask(), tmp_path / "whole"))


def test_a_checkpoint_of_another_network_is_one_clear_line(tmp_path: Path) -> None:
    torch.save({"network": {"net.weight": torch.zeros(3)}, "step": 3}, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match=r"checkpoint\.pt does not fit .* delete it to begin anew") as caught:
        run(TinyTask(), tmp_path)
    assert "\n" not in str(caught.value)
    (tmp_path / "checkpoint.pt").write_bytes(b"half a checkpo")
    with pytest.raises(InputError, match="does not fit"):
        run(TinyTask(), tmp_path)


def test_an_error_in_the_data_comes_out(tmp_path: Path) -> None:
    class Broken(TinyTask):
        def draw(self, rng, size):
            raise InputError("no such clip")

    with pytest.raises(InputError, match="no such clip"):
        run(Broken(), tmp_path)


@given(st.integers(1, 500), st.integers(0, 500), st.floats(1e-5, 0.5))
def test_learning_rate_rises_to_its_peak_and_falls_to_nothing(steps: int, warmup: int, lr: float) -> None:
    config = LoopConfig(steps=steps, warmup=warmup, lr=lr)
    rates = [learning_rate(config, step) for step in range(steps)]
    assert all(0 < rate <= lr * (1 + 1e-9) for rate in rates)
    peak = min(max(warmup - 1, 0), steps - 1)
    assert all(after >= before * (1 - 1e-9) for before, after in pairwise(rates[: peak + 1]))
    assert all(after <= before * (1 + 1e-9) for before, after in pairwise(rates[peak:]))
    if warmup < steps:
        assert rates[peak] == pytest.approx(lr)
        assert learning_rate(config, steps) == pytest.approx(0, abs=1e-12)


def test_the_average_forgets_the_first_weights() -> None:
    module = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(module.weight, 100.0)
    average = Average(module, 0.999)
    torch.nn.init.constant_(module.weight, 1.0)
    for step in range(30):
        average.update(module, step)
    assert float(average.state["weight"]) == pytest.approx(1.0, abs=0.1)


def test_two_processes_are_one_with_twice_the_batch(tmp_path: Path) -> None:
    """Two CPU processes through torchrun, stopped and resumed once, against one that sees both their batches."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    script = Path(__file__).with_name("two_processes.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{REPO}{os.pathsep}{script.parent}"}
    done = subprocess.run(
        [*command, str(script), str(tmp_path / "two")], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    two = torch.load(tmp_path / "two" / "checkpoint.pt", weights_only=True)
    config = LoopConfig(steps=6, batch=4, warmup=2, lr=1e-2, threads=1, seed=3)
    one = run(WholeBatchTask(2, config.seed, dropout=0.0), tmp_path / "one", config)
    assert two["step"] == one["step"] == 6
    for part in ("network", "adversary", "average"):
        for name, value in one[part].items():
            torch.testing.assert_close(two[part][name], value, rtol=1e-4, atol=1e-5, msg=f"{part}.{name}")
