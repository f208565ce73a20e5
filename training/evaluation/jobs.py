"""One job per system and pair: make the result, measure it. Resumable, in parallel, over several machines."""

from __future__ import annotations

import json
import multiprocessing
import queue
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from thfem_core.errors import ThfemError
from thfem_core.face.models import default_face_models
from thfem_core.media.atomic import complete_file
from thfem_core.media.open_video import open_video
from thfem_core.metrics.comparison import Comparison, ComparisonConfig, compare_clips
from thfem_core.metrics.frechet import FeatureSpread
from thfem_core.metrics.judges.choosing import Judges, choose_judges
from thfem_core.metrics.verdict_table import as_data

from .pairs import Pair
from .systems import System, job_name, run_system


@dataclass(frozen=True, kw_only=True, slots=True)
class JobConfig:
    """Where results go and who measures them.

    out: Folder of all results.
    networks: Choice of :func:`thfem_core.metrics.judges.choosing.choose_judges`.
    folders: Folders of model files.
    every: Networks look at one frame in this many.
    device: ``cpu``, or ``cuda``, whose cards the workers share in turn.
    """

    out: Path
    networks: str = "official"
    folders: tuple[Path, ...] = ()
    every: int = 1
    device: str = "cpu"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """system and pair, and where video and measures go: ``OUT/SYSTEM/SETTING/SOURCE__EMOTION.{mp4,json,npz}``."""

    system: System
    pair: Pair

    def path(self, out: Path, suffix: str) -> Path:
        return out / self.system.name / self.pair.setting / f"{job_name(self.pair)}{suffix}"


def open_jobs(jobs: Sequence[Job], config: JobConfig) -> list[Job]:
    """The jobs that are not done: measures are written last, so they mark a finished job."""
    return [job for job in jobs if not job.path(config.out, ".json").exists()]


def shard(jobs: Sequence[Job], number: int, count: int) -> list[Job]:
    """Every ``count``-th job from ``number`` on, for machine ``number`` of ``count``."""
    return list(jobs[number::count])


def run_jobs(jobs: Sequence[Job], config: JobConfig, *, workers: int = 1) -> list[str]:
    """Do what is not done yet; returns one line per job that failed. A job that fails does not stop the others."""
    waiting = open_jobs(jobs, config)
    failures = []
    with tqdm(total=len(waiting), unit=" clips", disable=None) as bar:
        for line in _results(waiting, config, workers):
            failures += [line] if line else []
            bar.update()
    return failures


def _results(jobs: Sequence[Job], config: JobConfig, workers: int) -> Iterator[str]:
    if workers <= 1:
        worker = _Worker(config, 0)
        yield from map(worker.do, jobs)
        return
    context = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
    waiting, done = context.Queue(), context.Queue()
    for job in [*jobs, *[None] * workers]:
        waiting.put(job)
    processes = [context.Process(target=_serve, args=(config, number, waiting, done)) for number in range(workers)]
    try:
        for process in processes:
            process.start()
        for _ in jobs:
            yield _next_result(done, processes)
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _next_result(done, processes: Sequence[multiprocessing.process.BaseProcess]) -> str:
    """The next line; an error instead of waiting for ever where all workers have died."""
    while True:
        alive = any(process.is_alive() for process in processes)
        try:
            return done.get(timeout=2)
        except queue.Empty:
            if not alive:
                raise RuntimeError("all workers have died; run with --workers 1 to see why") from None


def _serve(config: JobConfig, number: int, waiting, done) -> None:
    """A worker process: job after job until there is none."""
    torch.set_num_threads(1)
    worker = _Worker(config, number)
    while (job := waiting.get()) is not None:
        done.put(worker.do(job))
    done.close()
    done.join_thread()


class _Worker:
    """Loads networks once, then does job after job."""

    def __init__(self, config: JobConfig, number: int) -> None:
        self._config = config
        cards = torch.cuda.device_count() if config.device.startswith("cuda") else 0
        self._device = torch.device(f"cuda:{number % cards}" if cards else config.device)
        self._judges: Judges | None = None
        self._faces = default_face_models(self._device)

    def do(self, job: Job) -> str:
        """ "" or why it failed."""
        try:
            if self._judges is None:
                self._judges, _ = choose_judges(
                    self._config.networks, device=self._device, folders=self._config.folders
                )
            self._do(job)
        except ThfemError as error:
            return f"{job.system.name}, {job.pair.setting}, {job_name(job.pair)}: {error}"
        return ""

    def _do(self, job: Job) -> None:
        video = job.path(self._config.out, ".mp4")
        video.parent.mkdir(parents=True, exist_ok=True)
        if not video.exists():
            run_system(job.system, job.pair, video, device=self._device)
        found = compare_clips(
            open_video(job.pair.source.video),
            open_video(video),
            faces=self._faces,
            judges=self._judges,
            reference=open_video(job.pair.reference.video),
            target_emotion=job.pair.emotion,
            config=ComparisonConfig(every=self._config.every),
        )
        _save_spreads(found, job.path(self._config.out, ".npz"))
        facts = as_data(found) | {
            "system": job.system.name,
            "setting": job.pair.setting,
            "emotion": job.pair.emotion,
            "source_clip": job.pair.source.name,
            "reference_clip": job.pair.reference.name,
        }
        with complete_file(job.path(self._config.out, ".json")) as path:
            path.write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")


def _save_spreads(found: Comparison, path: Path) -> None:
    """Identity features of output and reference, for Fréchet distances over the whole test set."""
    arrays = {}
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
