"""Train the embedded talking head, stage by stage, with the paper's adjacent-frame windows and losses (Eq. 6-10).

    python -m training.train_thg --config training/configs/mouth.toml --stage sync
    python -m training.train_thg --config training/configs/mouth.toml --stage motion
    python -m training.train_thg --config training/configs/mouth.toml --stage renderer

Run it again to go on where it stopped; ``--steps N`` stops after N more steps. Several devices or machines: put
``accelerate launch`` or ``torchrun`` in front. Each finished stage writes RUNS/STAGE.safetensors, the file that the
node loads (sync: that the renderer's stage loads); TensorBoard events lie in RUNS/STAGE.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import torch
from accelerate import Accelerator
from safetensors.torch import save_file

from thfem_core.errors import InputError, ThfemError
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis

from .thg.config import LoopConfig, Stage, check_name, from_table, read_toml
from .thg.loop import Task, train
from .thg.motion_task import MotionTask, MotionTaskConfig
from .thg.renderer_task import RendererTask, RendererTaskConfig
from .thg.sync_task import SyncTask, SyncTaskConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class _Recipe:
    config: type[Any]
    task: type[Any]


STAGES: dict[str, _Recipe] = {
    "sync": _Recipe(config=SyncTaskConfig, task=SyncTask),
    "motion": _Recipe(config=MotionTaskConfig, task=MotionTask),
    "renderer": _Recipe(config=RendererTaskConfig, task=RendererTask),
}


def stage_config(stage: str, table: dict[str, Any]) -> Any:
    """The configuration of a stage from the file's table, whose ``data`` and ``loop`` are every stage's defaults.

    Raises InputError, naming the setting, where one is unknown, missing or of another type.
    """
    for name in table:
        check_name(name, ["runs", "data", "loop", *STAGES], "the configuration")
    own = table.get(stage, {})
    if not isinstance(own, dict):
        raise InputError(f"{stage} is {own!r}; it must be a table: [{stage}]")
    merged = dict(own)
    for name in ("data", "loop"):
        parts = [part.get(name, {}) for part in (table, own)]
        for part in parts:
            if not isinstance(part, dict):
                raise InputError(f"{name} is {part!r}; it must be a table: [{name}]")
        merged[name] = {**parts[0], **parts[1]}
    return from_table(STAGES[stage].config, merged, stage)


def export(net: torch.nn.Module, path: Path, notes: dict[str, str]) -> None:
    """Write half-precision weights of ``net``; ``notes`` become the file's metadata."""
    state = {name: value.detach().cpu().half().contiguous() for name, value in net.state_dict().items()}
    part = path.with_suffix(".part")
    save_file(state, part, metadata=notes)
    os.replace(part, path)


def run(arguments: argparse.Namespace) -> None:
    """Train one stage and, once it is finished, export it. Raises ThfemError."""
    if arguments.steps is not None and arguments.steps < 1:
        raise InputError(f"--steps is {arguments.steps}; give 1 or more")
    table = read_toml(arguments.config)
    config = stage_config(arguments.stage, table)
    loop: LoopConfig = config.loop
    runs = Path(arguments.runs or table.get("runs", "runs/mouth"))
    accelerator = Accelerator(mixed_precision=loop.precision, cpu=arguments.cpu)
    if accelerator.device.type == "cpu":
        torch.set_num_threads(arguments.cpu_threads)
    torch.manual_seed(loop.seed)  # the first weights
    task: Task = STAGES[arguments.stage].task(config, load_mouth_basis())
    network, step = train(task, loop, runs / arguments.stage, accelerator=accelerator, stop_after=arguments.steps)
    if accelerator.is_main_process:
        if step < loop.steps:
            print(f"stopped at step {step} of {loop.steps}; run the same command again to go on")
        else:
            finish(task, network, arguments.stage, table, runs / f"{arguments.stage}.safetensors")
    accelerator.end_training()


def finish(task: Task, network: torch.nn.Module, stage: str, table: dict[str, Any], path: Path) -> None:
    """Settle a trained network, measure it on unseen people and write what the node loads."""
    task.settle(network)
    scores = task.validate(network.eval())
    notes = {
        "stage": stage,
        "config": json.dumps(table, sort_keys=True),
        "unseen": json.dumps(scores),
        "licence": "CC BY-NC 4.0 (trained on research clips)",
    }
    export(network.net, path, notes)
    print(f"{path}: " + ", ".join(f"{name} {value:.4f}" for name, value in scores.items()))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--stage", choices=get_args(Stage), required=True)
    parser.add_argument("--runs", type=Path, help="folder for checkpoints and results; default: runs of the config")
    parser.add_argument("--steps", type=int, help="stop after this many more steps")
    parser.add_argument("--cpu", action="store_true", help="even if there is a GPU")
    parser.add_argument("--cpu-threads", type=int, default=1)
    try:
        run(parser.parse_args(argv))
    except ThfemError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped; run the same command again to go on from the last checkpoint", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
