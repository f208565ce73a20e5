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
import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from thfem_core.errors import InputError, OutputError, ThfemError
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis

from .config import LoopConfig, check_flags, check_name, from_table, read_toml
from .loop import make_accelerator, train
from .stages.base import Stage
from .stages.eamm import EammStage, EammStageConfig
from .stages.eat import EatStage, EatStageConfig
from .stages.motion import MotionStage, MotionStageConfig
from .stages.occlusion import OcclusionStage, OcclusionStageConfig
from .stages.renderer import RendererStage, RendererStageConfig
from .stages.sync import SyncStage, SyncStageConfig
from .stored import check_folder


class _Recipe(NamedTuple):
    config: type[Any]
    stage: Callable[[Any], Stage]


STAGES: dict[str, _Recipe] = {
    "sync": _Recipe(SyncStageConfig, lambda config: SyncStage(config, load_mouth_basis())),
    "motion": _Recipe(MotionStageConfig, lambda config: MotionStage(config, load_mouth_basis())),
    "renderer": _Recipe(RendererStageConfig, lambda config: RendererStage(config, load_mouth_basis())),
    "occlusion": _Recipe(OcclusionStageConfig, OcclusionStage),
    "eat": _Recipe(EatStageConfig, EatStage),
    "eamm": _Recipe(EammStageConfig, EammStage),
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
    merged, config = dict(own), STAGES[stage].config
    for name in [field.name for field in dataclasses.fields(config) if field.name in ("data", "loop")]:
        parts = [part.get(name, {}) for part in (table, own)]
        for part in parts:
            if not isinstance(part, dict):
                raise InputError(f"{name} is {part!r}; it must be a table: [{name}]")
        merged[name] = {**parts[0], **parts[1]}
    return from_table(config, merged, stage)


def run(arguments: argparse.Namespace) -> None:
    """Train one stage and, once it is finished, export it. Raises ThfemError."""
    check_flags(arguments, "steps", "cpu_threads")
    table = read_toml(arguments.config)
    config = stage_config(arguments.stage, table)
    if arguments.seed is not None:
        config = dataclasses.replace(config, loop=dataclasses.replace(config.loop, seed=arguments.seed))
    loop: LoopConfig = config.loop
    named = table.get("runs", "runs/mouth")
    if not isinstance(named, str):
        raise InputError(f'runs is {named!r}; give the name of a folder, as runs = "runs/mouth"')
    runs = Path(arguments.runs or named)
    result = runs / f"{arguments.stage}.safetensors"
    check_folder(runs / arguments.stage)
    if result.is_dir():
        raise OutputError(f"cannot write {result}: it is a folder; move it away, or give another --runs")
    if arguments.cpu or not torch.cuda.is_available():
        torch.set_num_threads(arguments.cpu_threads)
    torch.manual_seed(loop.seed)  # the first weights
    stage = STAGES[arguments.stage].stage(config)
    accelerator = make_accelerator(stage, loop, cpu=arguments.cpu)
    step = train(stage, loop, runs / arguments.stage, accelerator=accelerator, stop_after=arguments.steps)
    if accelerator.is_main_process:
        if step < loop.steps:
            print(f"stopped at step {step} of {loop.steps}; run the same command again to go on")
        else:
            notes = {"stage": arguments.stage, "config": json.dumps(table, sort_keys=True), "seed": str(loop.seed)}
            finish(stage, result, notes)
    accelerator.end_training()


def finish(stage: Stage, path: Path, notes: dict[str, str]) -> None:
    """Measure a trained network on unseen people and write what the node loads, with notes on how it came about."""
    stage.finish()
    stage.network.eval()
    scores = stage.validate()
    facts = {"unseen": json.dumps(scores), "licence": "CC BY-NC 4.0 (trained on research clips)"}
    stage.export(path, notes | facts)
    print(f"{path}: " + ", ".join(f"{name} {value:.4f}" for name, value in scores.items()))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--stage", choices=tuple(STAGES), required=True)
    parser.add_argument("--runs", type=Path, help="folder for checkpoints and results; default: runs of the config")
    parser.add_argument("--steps", type=int, help="stop after this many more steps")
    parser.add_argument("--seed", type=int, help="instead of the config's, for runs that are repeated")
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
