"""One job per system and pair: make the result, measure it. Resumable, on one machine or many."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from thfem_core.device import resolve_device
from thfem_core.errors import ThfemError
from thfem_core.face.models import FaceModels, default_face_models
from thfem_core.media.atomic import complete_file
from thfem_core.media.open_video import open_video
from thfem_core.metrics.comparison import compare_clips
from thfem_core.metrics.findings import Comparison
from thfem_core.metrics.frechet import FeatureSpread
from thfem_core.metrics.judges.choosing import Judges, choose_judges
from thfem_core.metrics.verdict_table import as_data
from thfem_core.metrics.visual_pass import ComparisonConfig

from ..parallel import Workers, run_jobs
from ..stored import make_folder
from .pairs import Pair
from .systems import System, job_name, run_system


@dataclass(frozen=True, kw_only=True, slots=True)
class JobConfig:
    """How every result is made and measured.

    Attributes:
        out: folder of all results.
        networks: see :func:`thfem_core.metrics.judges.choosing.choose_judges`.
        folders: of model files.
        every: networks look at one frame in this many.
        device: as :func:`thfem_core.device.resolve_device` takes it.
    """

    out: Path
    networks: str = "official"
    folders: tuple[Path, ...] = ()
    every: int = 1
    device: str = "cpu"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A system's result for a pair: ``OUT/SYSTEM/SETTING/SOURCE__EMOTION.{mp4,json,npz}``."""

    config: JobConfig
    system: System
    pair: Pair

    def path(self, suffix: str) -> Path:
        return self.config.out / self.system.name / self.pair.setting / f"{job_name(self.pair)}{suffix}"


def open_jobs(jobs: Sequence[Job]) -> list[Job]:
    """The jobs that are not done: measures are written last, so they mark a finished job."""
    return [job for job in jobs if not job.path(".json").exists()]


def measure_all(jobs: Sequence[Job], workers: Workers) -> list[str]:
    """Do what is not done yet; a job that fails does not stop the others. Returns a line per job that failed."""
    waiting = open_jobs(jobs)
    results = tqdm(run_jobs(do_job, waiting, workers), total=len(waiting), unit=" clips", disable=None)
    return [line for line in results if line]


@cache
def _tools(config: JobConfig) -> tuple[torch.device, FaceModels, Judges]:
    """What a process loads once. Cards of this machine are shared among its processes; Ray shows each its own.

    Raises ThfemError where the device or a network is not there.
    """
    device = resolve_device(config.device)
    if device == torch.device("cuda"):
        device = torch.device("cuda", os.getpid() % torch.cuda.device_count())
    judges, _ = choose_judges(config.networks, device=device, folders=config.folders)
    return device, default_face_models(device), judges


def do_job(job: Job) -> str:
    """Make and measure one result; returns why it failed, or an empty line."""
    try:
        _do(job)
    except ThfemError as error:
        return f"{job.system.name}, {job.pair.setting}, {job_name(job.pair)}: {error}"
    return ""


def _do(job: Job) -> None:
    device, faces, judges = _tools(job.config)
    video = job.path(".mp4")
    make_folder(video.parent)
    if not video.exists():
        run_system(job.system, job.pair, video, device=device)
    found = compare_clips(
        open_video(job.pair.source.video),
        open_video(video),
        faces=faces,
        judges=judges,
        reference=open_video(job.pair.reference.video),
        target_emotion=job.pair.emotion,
        config=ComparisonConfig(every=job.config.every),
    )
    _save_spreads(found, job.path(".npz"))
    facts = as_data(found) | {
        "system": job.system.name,
        "setting": job.pair.setting,
        "emotion": job.pair.emotion,
        "actor": job.pair.source.actor,
        "source_clip": job.pair.source.name,
        "reference_clip": job.pair.reference.name,
    }
    with complete_file(job.path(".json")) as path:
        path.write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")


def _save_spreads(found: Comparison, path: Path) -> None:
    """Identity features of output and reference, for Fréchet distances over the whole test set."""
    arrays: dict[str, Any] = {}
    for family in found.families:
        for title, sides in family.spreads.items():
            for side in ("output", "reference"):
                spread = sides[side]
                arrays[f"{title}|{side}|count"] = np.array(spread.count)
                arrays[f"{title}|{side}|mean"] = spread.mean
                arrays[f"{title}|{side}|factor"] = spread.factor.astype(np.float32)
    with complete_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_spreads(path: Path) -> dict[tuple[str, str], FeatureSpread]:
    """(network, side) → spread, as a job wrote them."""
    with np.load(path) as stored:
        keys = {tuple(name.split("|")[:2]) for name in stored}
        return {
            (title, side): FeatureSpread(
                count=int(stored[f"{title}|{side}|count"]),
                mean=stored[f"{title}|{side}|mean"],
                factor=stored[f"{title}|{side}|factor"].astype(np.float64),
            )
            for title, side in keys
        }
