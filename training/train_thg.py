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
import sys
from pathlib import Path
from typing import Any, get_args

import torch
from accelerate import Accelerator
from safetensors.torch import save_file

from thfem_core.errors import ThfemError
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis

from .thg.config import Stage, from_table, read_toml
from .thg.loop import Task, train
from .thg.motion_task import MotionTask, MotionTaskConfig
from .thg.renderer_task import RendererTask, RendererTaskConfig
from .thg.sync_task import SyncTask, SyncTaskConfig

STAGES: dict[str, tuple[type[Any], type[Any]]] = {
    "sync": (SyncTaskConfig, SyncTask),
    "motion": (MotionTaskConfig, MotionTask),
    "renderer": (RendererTaskConfig, RendererTask),
}


def make_task(stage: str, table: dict[str, Any]) -> Task:
    """The task of a stage from the configuration's table; ``data`` and ``loop`` of the file are its defaults."""
    config_type, task_type = STAGES[stage]
    own = dict(table.get(stage, {}))
    for name in ("data", "loop"):
        own[name] = {**table.get(name, {}), **own.get(name, {})}
    task: Task = task_type(from_table(config_type, own, stage), load_mouth_basis())
    return task


def export(net: torch.nn.Module, path: Path, notes: dict[str, str]) -> None:
    """Write half-precision weights of ``net`` with its configuration."""
    state = {name: value.detach().cpu().half().contiguous() for name, value in net.state_dict().items()}
    save_file(state, path, metadata=notes)


def run(arguments: argparse.Namespace) -> None:
    table = read_toml(arguments.config)
    runs = Path(arguments.runs or table.get("runs", "runs/mouth"))
    loop = {**table.get("loop", {}), **table.get(arguments.stage, {}).get("loop", {})}
    accelerator = Accelerator(mixed_precision=loop.get("precision", "no"), cpu=arguments.cpu)
    if accelerator.device.type == "cpu":
        torch.set_num_threads(arguments.cpu_threads)
    task = make_task(arguments.stage, table)
    config = task.config.loop  # type: ignore[attr-defined]
    network = train(task, config, runs / arguments.stage, accelerator=accelerator, stop_after=arguments.steps)
    step = torch.load(runs / arguments.stage / "checkpoint.pt", map_location="cpu", weights_only=True)["step"]
    if not accelerator.is_main_process:
        return
    if step < config.steps:
        print(f"stopped at step {step} of {config.steps}; run the same command again to go on")
        return
    scores = task.validate(network.eval())
    path = runs / f"{arguments.stage}.safetensors"
    notes = {
        "stage": arguments.stage,
        "config": json.dumps(table, sort_keys=True),
        "unseen": json.dumps(scores),
        "licence": "CC BY-NC 4.0 (trained on research clips)",
    }
    export(network.net, path, notes)
    print(f"{path}: " + ", ".join(f"{name} {value:.4f}" for name, value in scores.items()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--stage", choices=get_args(Stage), required=True)
    parser.add_argument("--runs", type=Path, help="folder for checkpoints and results; default: runs of the config")
    parser.add_argument("--steps", type=int, help="stop after this many more steps")
    parser.add_argument("--cpu", action="store_true", help="even if there is a GPU")
    parser.add_argument("--cpu-threads", type=int, default=1)
    try:
        run(parser.parse_args())
    except ThfemError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped; run the same command again to go on from the last checkpoint", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
