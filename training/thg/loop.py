"""One training loop for every network of the recipe: data ahead in a thread, EMA, checkpoints, exact resume.

Everything random in a step is seeded by (seed, step, process), so a run that is stopped and resumed takes the same
steps as one that never stopped. Runs on one device or, under ``accelerate launch`` or ``torchrun``, on many.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from math import cos, pi
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Protocol

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from tqdm import tqdm

from thfem_core.errors import InputError

from .config import LoopConfig

Batch = dict[str, Tensor]


class Task(Protocol):
    """What is trained.

    network: forward(batch) → named loss terms, already weighted, whose sum is minimised; every trained weight is in
    its ``net``, which is what is exported. adversary: likewise for the opponent (Eq. 10), forward(batch, fakes) → its
    losses, or None; it takes a step whenever the network has a loss named "adversarial".
    """

    network: nn.Module
    adversary: nn.Module | None

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        """Training windows; called in threads, CPU tensors."""
        ...

    def begin_step(self, step: int, steps: int) -> None:
        """Curricula: told before each step."""
        ...

    def fakes(self) -> Any:
        """What the network's last forward made, as the adversary wants it."""
        ...

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Numbers on unseen people, with the averaged weights."""
        ...

    def settle(self, network: nn.Module) -> None:
        """Once the last step is taken: set what is solved rather than descended to."""
        ...

    def strip(self, network: nn.Module) -> np.ndarray | None:
        """A picture (H, W, 3 uint8) of what the network does, for TensorBoard; None if there is nothing to see."""
        ...


class Average:
    """Exponential moving average of a module's floating-point state."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """One step; the first steps count more, or the average would remember the initial weights."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value.detach().to(self.state[name].dtype), 1 - decay)
            else:
                self.state[name].copy_(value)


def learning_rate(config: LoopConfig, step: int) -> float:
    """Linear warm-up, then half a cosine down to 0."""
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.lr * 0.5 * (1 + cos(pi * min(1.0, done)))


def _batches(task: Task, config: LoopConfig, start: int, stop: int, process: int) -> Iterator[Batch]:
    """The batches of steps [start, stop), drawn a little ahead in threads."""

    def one(step: int) -> Batch:
        return task.draw(np.random.default_rng([config.seed, step, process]), config.batch)

    with ThreadPoolExecutor(config.threads) as pool:
        waiting: deque[Future[Batch]] = deque()
        try:
            for step in range(start, stop):
                while len(waiting) <= config.threads and step + len(waiting) < stop:
                    waiting.append(pool.submit(one, step + len(waiting)))
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def train(
    task: Task, config: LoopConfig, folder: Path, *, accelerator: Accelerator, stop_after: int | None = None
) -> tuple[nn.Module, int]:
    """Train to ``config.steps`` (or for ``stop_after`` more steps), resuming from ``folder/checkpoint.pt``.

    Returns the bare network with the averaged weights, and the steps taken in all. Writes TensorBoard events to
    ``folder`` from process 0. Raises InputError where the checkpoint is of another network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = accelerator.device
    optimiser = torch.optim.AdamW(
        task.network.parameters(), lr=config.lr, betas=config.betas, weight_decay=config.weight_decay
    )
    network, optimiser = accelerator.prepare(task.network, optimiser)
    bare = accelerator.unwrap_model(network)
    adversary = adversary_optimiser = None
    if task.adversary is not None:
        adversary_optimiser = torch.optim.AdamW(task.adversary.parameters(), lr=config.lr, betas=(0.5, 0.99))
        adversary, adversary_optimiser = accelerator.prepare(task.adversary, adversary_optimiser)
    average = Average(bare, config.ema)

    parts: dict[str, Any] = {"network": bare, "optimiser": optimiser}
    if adversary is not None:
        parts |= {"adversary": accelerator.unwrap_model(adversary), "adversary_optimiser": adversary_optimiser}
    if accelerator.scaler is not None:
        parts["scaler"] = accelerator.scaler
    path = folder / "checkpoint.pt"
    step = _resume(path, parts, average)
    last = config.steps if stop_after is None else min(config.steps, step + stop_after)
    writer = _writer(folder, step) if accelerator.is_main_process else None

    saved = time.monotonic()
    recent: dict[str, list[float]] = {}
    bar = tqdm(total=last, initial=step, unit="step", disable=not accelerator.is_main_process, mininterval=30)
    for batch in _batches(task, config, step, last, accelerator.process_index):
        torch.manual_seed(_seed(config.seed, step, accelerator.process_index))
        task.begin_step(step, config.steps)
        batch = {name: value.to(device, non_blocking=True) for name, value in batch.items()}
        network.train()
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(config, step)
        with accelerator.autocast():
            losses = network(batch)
        accelerator.backward(sum(losses.values()))
        if config.clip:
            accelerator.clip_grad_norm_(network.parameters(), config.clip)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        average.update(bare, step)
        if adversary is not None and "adversarial" in losses:
            for group in adversary_optimiser.param_groups:
                group["lr"] = learning_rate(config, step)
            adversary_optimiser.zero_grad(set_to_none=True)  # the network's own backward left some there
            with accelerator.autocast():
                against = adversary(batch, task.fakes())
            accelerator.backward(sum(against.values()))
            adversary_optimiser.step()
            losses = {**losses, **against}
        for name, value in losses.items():
            recent.setdefault(name, []).append(float(value.detach()))
        step += 1
        bar.update()
        if writer and step % config.log_every == 0:
            means = {name: float(np.mean(values)) for name, values in recent.items()}
            for name, mean in means.items():
                writer.add_scalar(f"train/{name}", mean, step)
            bar.set_postfix_str(" ".join(f"{name} {mean:.4f}" for name, mean in means.items()))
            recent = {}
        if writer and (step % config.validate_every == 0 or step == config.steps):
            _report(task, bare, average, writer, step)
        due = time.monotonic() - saved > 60 * config.checkpoint_minutes
        if accelerator.is_main_process and (due or step == last):
            _save(path, parts, average, step)
            saved = time.monotonic()
    bar.close()
    if writer:
        writer.close()
    bare.load_state_dict(average.state)
    return bare, step


def _seed(*numbers: int) -> int:
    """One seed of several whole numbers, the same on every machine."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _writer(folder: Path, step: int) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step)  # what an interrupted run wrote beyond its checkpoint is void


@torch.no_grad()
def _report(task: Task, bare: nn.Module, average: Average, writer: Any, step: int) -> None:
    """Validate with the averaged weights and put the current ones back."""
    current = {name: value.clone() for name, value in bare.state_dict().items()}
    bare.load_state_dict(average.state)
    bare.eval()
    numbers = task.validate(bare)
    for name, value in numbers.items():
        writer.add_scalar(f"unseen/{name}", value, step)
    picture = task.strip(bare)
    if picture is not None:
        writer.add_image("strip", picture, step, dataformats="HWC")
    tqdm.write(f"step {step}: " + ", ".join(f"{name} {value:.4f}" for name, value in numbers.items()))
    bare.load_state_dict(current)
    bare.train()


def _save(path: Path, parts: dict[str, Any], average: Average, step: int) -> None:
    part = path.with_suffix(".part")
    state = {name: item.state_dict() for name, item in parts.items()}
    torch.save({**state, "average": average.state, "step": step}, part)
    os.replace(part, path)


def _resume(path: Path, parts: dict[str, Any], average: Average) -> int:
    if not path.exists():
        return 0
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        for name, item in parts.items():
            item.load_state_dict(stored[name])
    except (KeyError, RuntimeError, ValueError, EOFError, UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{path} does not fit this configuration ({reason}); delete it to begin anew, or give another --runs"
        ) from None
    for name, value in average.state.items():
        value.copy_(stored["average"][name])
    return int(stored["step"])
