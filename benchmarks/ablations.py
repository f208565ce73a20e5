"""Tables 5, 6 and 8 in small: the embedded mouth model on pairs, one thing changed at a time, several seeds.

    python -m benchmarks.ablations --runs runs/ablations [--seeds 0 1] [--only mouth_pairs mouth_frames_1 ...]

Trains what training/configs/ablations/mouth_*.toml describe (they name runs/pairs_small and the weights of VGG16,
runs/vgg16.safetensors), measures each network on people of the splits val and test, and prints the tables; what is done
is not done again. The pairs need splits by person: see the column split of training.build_pairs csv. ±: half the
distance between the best and the worst seed. Pictures as in benchmarks.mouth_renderer (mouth of 64 x 64 px, true mesh,
edited sources), lips as in benchmarks.mouth_motion (one clip of each person of both splits whose lips and loudness
agree well enough to be trained on).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from benchmarks.mouth_renderer import (
    distances_of,
    drawn_by,
    drawn_windows,
    frontal_clips,
    lpips_vgg,
    picture_scores,
    window_batch,
)
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis
from thfem_core.talking_head.mouth.networks import load_motion, load_renderer
from training.config import LoopConfig, read_toml
from training.data.clips import SpeakingClip, in_step, load_clips
from training.stages.base import Batch
from training.stages.motion import motion_scores
from training.stages.renderer import RendererStageConfig, middle
from training.train_thg import main as train
from training.train_thg import stage_config

CONFIGS = Path(__file__).parents[1] / "training" / "configs" / "ablations"
VARIANTS = {
    "mouth_pairs": ("n = 5, adjacent, all losses", ("renderer", "motion")),
    "mouth_frames_1": ("n = 1", ("renderer", "motion")),
    "mouth_frames_20": ("n = 20", ("renderer", "motion")),
    "mouth_frames_50": ("n = 50", ("renderer", "motion")),
    "mouth_not_adjacent": ("not adjacent", ("renderer", "motion")),
    "mouth_no_pixel": ("without the pixel loss", ("renderer",)),
    "mouth_no_perceptual": ("without the perceptual loss", ("renderer",)),
    "mouth_no_adversarial": ("without the adversarial loss", ("renderer",)),
    "mouth_no_sync": ("without the sync loss", ("motion",)),
}
DISTANCES = {"val": ("1-5",), "test": ("1-5", "20", "50")}
PICTURES = 30  # per distance
WINDOWS = (5, 20, 50)

Scores = dict[str, tuple[float, ...]]


class Material(NamedTuple):
    """What every network is measured on: windows of the renderer by split and distance, and clips to listen to."""

    windows: dict[str, list[Batch]]
    motion: list[SpeakingClip]
    lpips: torch.nn.Module


@cache
def material() -> Material:
    config = stage_config("renderer", read_toml(CONFIGS / "mouth_pairs.toml"))
    basis = load_mouth_basis()
    still = RendererStageConfig(data=config.data, loop=LoopConfig(), jitter=0.0)
    windows = {}
    for split, distances in DISTANCES.items():
        clips = frontal_clips(config.data, split, basis, yaw=25.0)
        for text in distances:
            rng = np.random.default_rng(0)
            drawn = drawn_windows(clips, distances_of(text), PICTURES, np.random.default_rng(1))
            windows[f"{split} {text}"] = [window_batch(*window, still, rng) for window in drawn]
    speaking = [
        clip for split in DISTANCES for clip in load_clips(config.data, split, basis, keep=in_step(config.data))
    ]
    # Pairs of one source have one sound: another's is wanted for the shuffled column.
    people = {clip.clip.identity: clip for clip in speaking if clip.mel is not None}
    return Material(windows=windows, motion=list(people.values()), lpips=lpips_vgg(Path(config.vgg)))


@torch.no_grad()
def renderer_measured(weights: Path | str | None) -> Scores:
    """PSNR and LPIPS of the mouth by split and distance; ``weights`` may be "copy", the source's mouth kept."""
    net = None if weights == "copy" else load_renderer(weights if isinstance(weights, Path) else None)
    found: Scores = {}
    for place, batches in material().windows.items():
        rows = []
        for batch in batches:
            kept = middle(batch["source"][None].float() / 255, batch["true"].shape[-1])
            drawn = kept if net is None else drawn_by(net, batch)
            rows.append(picture_scores(drawn, batch, material().lpips)[1:])
        found[place] = tuple(map(float, np.mean(rows, axis=0)))
    return found


def motion_measured(weights: Path | None) -> Scores:
    """Lip error, the same with another clip's sound, and correlation of the aperture, for windows of n frames."""
    found: Scores = {}
    basis, net = load_mouth_basis(), load_motion(weights)
    for n in WINDOWS:
        own, other = (motion_scores(net, basis, material().motion, window=n, shuffle=s) for s in (False, True))
        found[f"n = {n}"] = (own["lip"], other["lip"], own["aperture"])
        found[f"copy, n = {n}"] = (own["copy_lip"], own["copy_lip"], own["copy_aperture"])
    return found


def known(path: Path) -> Scores | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def measured(stage: str, weights: Path | str | None, path: Path) -> Scores:
    """Scores of a network, kept in ``path``."""
    found = known(path)
    if found is None:
        found = renderer_measured(weights) if stage == "renderer" else motion_measured(weights)  # type: ignore[arg-type]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def run(runs: Path, name: str, stage: str, seed: int) -> None:
    """Train and measure one network, if that is not done."""
    folder = runs / f"{name}-{seed}"
    weights = folder / f"{stage}.safetensors"
    if not weights.exists():
        command = ["--config", str(CONFIGS / f"{name}.toml"), "--stage", stage]
        if train([*command, "--seed", str(seed), "--runs", str(folder)]) != 0:
            raise SystemExit(f"{name}, {stage}, seed {seed} was not trained")
    measured(stage, weights, folder / f"{stage}.json")


def shown(runs: Sequence[Scores], key: str, column: int, digits: int) -> str:
    values = [scores[key][column] for scores in runs if key in scores]
    if not values:
        return ""
    spread = f" ± {(max(values) - min(values)) / 2:.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def tables(runs: Path, seeds: Sequence[int]) -> None:
    """Print what is measured so far."""
    places = [f"{split} {text}" for split, texts in DISTANCES.items() for text in texts]
    print("\n| renderer | " + " | ".join(f"{place}: PSNR / LPIPS" for place in places) + " | seeds |")
    print("|---" * (len(places) + 2) + "|")
    for title, found in rows(runs, seeds, "renderer"):
        cells = [f"{shown(found, place, 0, 2)} / {shown(found, place, 1, 4)}" for place in places]
        print(f"| {title} | " + " | ".join(cells) + f" | {len(found)} |")
    print("\n| motion | " + " | ".join(f"{n} frames: lip error / shuffled / r" for n in WINDOWS) + " | seeds |")
    print("|---" * (len(WINDOWS) + 2) + "|")
    for title, found in rows(runs, seeds, "motion"):
        prefix = "copy, " if title == "copy" else ""
        cells = [" / ".join(shown(found, f"{prefix}n = {n}", c, 2) for c in range(3)) for n in WINDOWS]
        print(f"| {title} | " + " | ".join(cells) + f" | {len(found)} |")


def rows(runs: Path, seeds: Sequence[int], stage: str) -> list[tuple[str, list[Scores]]]:
    """Title and measured scores of each row of a stage's table; the first two need no training."""
    shipped = measured(stage, None, runs / f"shipped-{stage}.json")
    copied = shipped if stage == "motion" else measured(stage, "copy", runs / "copy.json")
    found = [("copy", [copied]), ("shipped", [shipped])]
    for name, (title, stages) in VARIANTS.items():
        if stage in stages:
            several = (known(runs / f"{name}-{seed}" / f"{stage}.json") for seed in seeds)
            found.append((title, [scores for scores in several if scores is not None]))
    return [row for row in found if row[1]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs/ablations"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--only", nargs="*", choices=tuple(VARIANTS), default=tuple(VARIANTS), help="train only these")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for seed in arguments.seeds:
        for name in arguments.only:
            for stage in VARIANTS[name][1]:
                run(arguments.runs, name, stage, seed)
    tables(arguments.runs, arguments.seeds)


if __name__ == "__main__":
    main()
