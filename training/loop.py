"""The training loop of every stage: averaged weights, checkpoints, exact resume, one device or many.

Everything random in a step is seeded by (seed, step, process), so a run that is stopped and resumed takes the same
steps as one that never stopped. Several devices or machines: ``accelerate launch`` or ``torchrun`` in front.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, send_to_device
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from thfem_core.errors import InputError

from .config import LoopConfig
from .stages.base import Batch, Stage


def make_accelerator(stage: Stage, config: LoopConfig, *, cpu: bool = False) -> Accelerator:
    """The devices of this process, set up for a stage."""
    unused = DistributedDataParallelKwargs(find_unused_parameters=stage.idle_parameters)
    return Accelerator(
        mixed_precision=config.precision,
        cpu=cpu,
        gradient_accumulation_steps=config.accumulate,
        kwargs_handlers=[unused],
    )


def lr_factor(config: LoopConfig, step: int) -> float:
    """The learning rate of a step over ``config.lr``: linear warm-up, then the schedule of the configuration."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    if config.schedule == "steps":
        return 0.1 ** sum(step >= share * config.steps for share in config.drops)
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return 0.5 * (1 + cos(pi * min(1.0, done)))


def averaged_model(weights: nn.ParameterList, decay: float) -> AveragedModel:
    """Exponential moving average of ``weights``; the first steps count more, or it would remember where it began."""

    def average(averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        return averaged.lerp(current, 1 - min(decay, (1 + int(count)) / (10 + int(count))))

    return AveragedModel(weights, avg_fn=average)


@dataclass(kw_only=True)
class _Trained:
    """What a checkpoint carries beside optimisers and schedules: steps taken and trained weights, by name.

    Frozen weights come from their own files. The names are those of the bare networks, so a run may go on with
    another number of processes.
    """

    network: nn.Module
    discriminator: nn.Module | None
    step: int = 0

    def weights(self) -> dict[str, nn.Parameter]:
        return {name: weight for name, weight in self.network.named_parameters() if weight.requires_grad}

    def state_dict(self) -> dict[str, Any]:
        against = {} if self.discriminator is None else self.discriminator.state_dict()
        weights = {name: weight.detach() for name, weight in self.weights().items()}
        return {"step": self.step, "network": weights, "discriminator": against}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        weights = self.weights()
        if list(state["network"]) != list(weights):
            raise ValueError("other weights were trained")
        for name, weight in weights.items():
            weight.data.copy_(state["network"][name])
        if self.discriminator is not None:
            self.discriminator.load_state_dict(state["discriminator"])
        self.step = int(state["step"])


class _Batches(Dataset[Batch]):
    """The batch of every micro-step of this process."""

    def __init__(self, stage: Stage, config: LoopConfig, process: int) -> None:
        self._stage, self._config, self._process = stage, config, process

    def __len__(self) -> int:
        return self._config.steps * self._config.accumulate

    def __getitem__(self, number: int) -> Batch:
        rng = np.random.default_rng([self._config.seed, number, self._process])
        return self._stage.draw(rng, self._config.batch)


@dataclass(kw_only=True)
class _Trainer:
    """Networks and optimisers of a run as ``accelerate`` prepared them."""

    stage: Stage
    config: LoopConfig
    accelerator: Accelerator

    def __post_init__(self) -> None:
        accelerator, config, stage = self.accelerator, self.config, self.stage

        def prepared(groups: Any, module: nn.Module, betas: tuple[float, float]) -> tuple[nn.Module, Any]:
            adam = torch.optim.AdamW(groups, lr=config.lr, betas=betas, weight_decay=config.weight_decay)
            self.schedulers.append(LambdaLR(adam, lambda step: lr_factor(config, step)))
            return accelerator.prepare(module, adam)

        self.schedulers: list[LambdaLR] = []
        self.network, self.optimiser = prepared(stage.parameter_groups(config.lr), stage.network, config.betas)
        self.discriminator: nn.Module | None = None
        if stage.adversarial is not None:
            groups = stage.adversarial.parameters()
            self.discriminator, self.against = prepared(groups, stage.adversarial, (0.5, 0.99))
        self.trained = _Trained(network=stage.network, discriminator=stage.adversarial)
        self.weights = nn.ParameterList(self.trained.weights().values())
        self.average = averaged_model(self.weights, config.ema)
        accelerator.register_for_checkpointing(self.trained, self.average, *self.schedulers)
        accelerator.register_save_state_pre_hook(lambda models, states, folder: states.clear())
        accelerator.register_load_state_pre_hook(lambda models, folder: models.clear())

    def step(self, batches: Sequence[Batch]) -> dict[str, float]:
        """One step of the optimiser, over one batch per accumulated micro-step; returns its losses."""
        accelerator, config, number = self.accelerator, self.config, self.trained.step
        values: dict[str, list[float]] = {}
        for micro, cpu_batch in enumerate(batches):
            index = number * config.accumulate + micro
            torch.manual_seed(_seed(config.seed, index, accelerator.process_index))
            batch = send_to_device(cpu_batch, accelerator.device, non_blocking=True)
            with accelerator.accumulate(*self._modules()):
                with accelerator.autocast():
                    output = self.network(batch, number / config.steps)
                    losses = dict(output.losses)
                    fake, real, opponent = output.fake, output.real, self.stage.adversarial
                    if opponent is not None and fake is not None:
                        losses["adversarial"] = opponent.weight * opponent.generator_loss(fake)
                accelerator.backward(torch.stack(list(losses.values())).sum())
                if accelerator.sync_gradients and config.clip:
                    accelerator.clip_grad_norm_(self.weights.parameters(), config.clip)
                self.optimiser.step()
                self.optimiser.zero_grad()
                if opponent is not None and fake is not None and real is not None:
                    losses["discriminator"] = self._train_discriminator(real, fake)
            for name, value in losses.items():
                values.setdefault(name, []).append(float(value.detach()))
        self.average.update_parameters(self.weights)
        with warnings.catch_warnings():  # the discriminator's schedule runs before it takes its first step
            warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step", category=UserWarning)
            for scheduler in self.schedulers:
                scheduler.step()
        self.trained.step += 1
        return {name: float(np.mean(some)) for name, some in values.items()}

    def _modules(self) -> list[nn.Module]:
        return [module for module in (self.network, self.discriminator) if module is not None]

    def _train_discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        assert self.discriminator is not None
        with self.accelerator.autocast():
            loss = self.discriminator(real.detach(), fake.detach())
        self.accelerator.backward(loss)
        self.against.step()
        self.against.zero_grad()
        return loss

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The network with the averaged weights, in eval mode; the current ones come back."""
        current = [weight.detach().clone() for weight in self.weights]
        self.load_average()
        self.stage.network.eval()
        try:
            yield
        finally:
            for weight, value in zip(self.weights, current, strict=True):
                weight.data.copy_(value)
            self.stage.network.train()

    def load_average(self) -> None:
        """Put the averaged weights into the network."""
        for weight, value in zip(self.weights, self.average.module.parameters(), strict=True):
            weight.data.copy_(value.data)


def train(
    stage: Stage, config: LoopConfig, folder: Path, *, accelerator: Accelerator, stop_after: int | None = None
) -> int:
    """Train a stage, going on from the newest checkpoint in a folder, and leave it with the averaged weights.

    Args:
        stage: what is trained.
        config: for how long and how.
        folder: of checkpoints and TensorBoard events (written by process 0).
        accelerator: see :func:`make_accelerator`.
        stop_after: stop after this many more steps; None trains to ``config.steps``.

    Returns:
        The steps taken in all.

    Raises:
        InputError: the checkpoint is damaged, or of another network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trainer = _Trainer(stage=stage, config=config, accelerator=accelerator)
    resume(trainer, folder)
    first = trainer.trained.step
    last = config.steps if stop_after is None else min(config.steps, first + stop_after)
    loader = DataLoader(
        _Batches(stage, config, accelerator.process_index),
        batch_size=None,
        sampler=range(first * config.accumulate, last * config.accumulate),
        num_workers=config.workers,
        pin_memory=accelerator.device.type == "cuda",
    )
    writer = _writer(folder, first) if accelerator.is_main_process else None
    recent: dict[str, list[float]] = {}
    bar = tqdm(total=last, initial=first, unit="step", disable=not accelerator.is_main_process, mininterval=30)
    trainer.network.train()
    batches = iter(loader)
    for step in range(first + 1, last + 1):
        for name, value in trainer.step([next(batches) for _ in range(config.accumulate)]).items():
            recent.setdefault(name, []).append(value)
        bar.update()
        if writer and step % config.log_every == 0:
            means = {name: float(np.mean(values)) for name, values in recent.items()}
            for name, mean in means.items():
                writer.add_scalar(f"train/{name}", mean, step)
            bar.set_postfix_str(" ".join(f"{name} {mean:.4f}" for name, mean in means.items()))
            recent = {}
        if writer and (step % config.validate_every == 0 or step == config.steps):
            _report(trainer, writer, step)
        if step % config.checkpoint_every == 0 or step == last:
            save(trainer, folder)
    bar.close()
    if writer:
        writer.close()
    trainer.load_average()
    accelerator.wait_for_everyone()
    return trainer.trained.step


def _seed(*numbers: int) -> int:
    """One seed of several whole numbers, the same on every machine."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _writer(folder: Path, step: int) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step)  # what an interrupted run wrote beyond its checkpoint is void


@torch.no_grad()
def _report(trainer: _Trainer, writer: Any, step: int) -> None:
    with trainer.averaged():
        numbers, picture = trainer.stage.validate(), trainer.stage.preview()
    for name, value in numbers.items():
        writer.add_scalar(f"unseen/{name}", value, step)
    if picture is not None:
        writer.add_image("preview", picture, step, dataformats="HWC")
    tqdm.write(f"step {step}: " + ", ".join(f"{name} {value:.4f}" for name, value in numbers.items()))


def checkpoints(folder: Path) -> list[Path]:
    """The complete checkpoints of a run, oldest first."""
    return sorted(folder.glob("checkpoint-????????"))


def save(trainer: _Trainer, folder: Path) -> None:
    """Write a checkpoint beside the last one, then drop that: an interruption leaves one that is whole."""
    accelerator, path = trainer.accelerator, folder / f"checkpoint-{trainer.trained.step:08d}"
    part = path.with_suffix(".part")
    if accelerator.is_main_process:
        for left in folder.glob("checkpoint-*.part"):
            shutil.rmtree(left)
    accelerator.wait_for_everyone()
    accelerator.save_state(str(part))
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        old = [known for known in checkpoints(folder) if known != path]
        if path.exists():
            shutil.rmtree(path)
        os.replace(part, path)
        for known in old:
            shutil.rmtree(known)
    accelerator.wait_for_everyone()


def resume(trainer: _Trainer, folder: Path) -> None:
    """Go on from the newest checkpoint, if any. Raises InputError where it is damaged or of another network."""
    known = checkpoints(folder)
    if not known:
        return
    try:
        trainer.accelerator.load_state(str(known[-1]))
    except Exception as error:  # of pickle, safetensors, torch or accelerate
        reason = str(error).partition("\n")[0].partition(". ")[0][:120]  # what follows is advice to programmers
        raise InputError(
            f"{known[-1]} is damaged, or does not fit this configuration ({reason}); "
            "delete it to begin anew, or give another --runs"
        ) from None
