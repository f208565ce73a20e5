"""One function over many jobs: in this process, on the processors of this machine, or on a cluster."""

from __future__ import annotations

import argparse
import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import joblib
import torch

from thfem_core.errors import InputError

Job = TypeVar("Job")
Result = TypeVar("Result")

_PROJECT = Path(__file__).parents[1]
_WAITING_PER_CPU = 2  # tasks submitted ahead to a cluster
_ANSWERS = 20.0  # seconds within which a cluster must


@dataclass(frozen=True, kw_only=True, slots=True)
class Workers:
    """Who does the jobs.

    Attributes:
        processes: on this machine; 1 does the jobs in this process. Not used on a cluster, which does as many at once
            as it has room for.
        ray: address of a Ray cluster ("auto", "ray://HOST:10001", "HOST:6379"), or None. Every machine needs the
            project and the data under the same paths.
        gpus: share of a graphics card that a job on the cluster takes; 0.25 puts four on each card, 0 needs none.
        retries: how often a job of the cluster is done again because its worker or its machine was lost.
    """

    processes: int = 1
    ray: str | None = None
    gpus: float = 0.0
    retries: int = 3

    def __post_init__(self) -> None:
        if self.processes < 1:
            raise InputError(f"the number of worker processes is {self.processes}; give 1 or more")
        if self.gpus < 0:
            raise InputError(f"the share of a graphics card is {self.gpus:g}; give 0 for none, 0.25, 0.5, 1, …")


def run_jobs(function: Callable[[Job], Result], jobs: Sequence[Job], workers: Workers) -> Iterator[Result]:
    """Do every job once and yield the results as they come, in any order. A cluster is looked for at once.

    Args:
        function: of a module, so that other processes find it; what it loads it should keep (``functools.cache``).
            It must leave no half result when it is killed, and do no harm when it is run again.
        jobs: its arguments, which are sent to other processes.
        workers: who does them.

    Raises:
        InputError: there is no such cluster, or no Ray.
        Exception: what ``function`` raised. On a cluster: also when a job was lost more than ``workers.retries`` times.
    """
    if workers.ray is not None:
        return _on_cluster(function, jobs, workers, mine=_connect(workers.ray))
    if workers.processes == 1:
        return map(function, jobs)
    return _in_processes(function, jobs, workers)


def _in_processes(function: Callable[[Job], Result], jobs: Sequence[Job], workers: Workers) -> Iterator[Result]:
    parallel = joblib.Parallel(n_jobs=workers.processes, batch_size=1, return_as="generator_unordered")
    yield from parallel(joblib.delayed(_with_one_thread)(function, job) for job in jobs)


def _with_one_thread(function: Callable[[Job], Result], job: Job) -> Result:
    """As many processes as processors: more threads would only stand in each other's way."""
    torch.set_num_threads(1)
    return function(job)


def _connect(address: str) -> bool:
    """Connect to a cluster; False where that was done before. Raises InputError where it does not answer."""
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "2")  # each waits half a minute; Ray makes twenty
    try:
        import ray
    except ImportError:
        raise InputError("--ray needs Ray on this machine; install it with: pip install ray") from None
    if ray.is_initialized():
        return False
    environment: dict[str, Any] = {"env_vars": {"PYTHONPATH": str(_PROJECT)}}
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        if host and port.isdecimal():
            socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWERS).close()
        ray.init(address=address, runtime_env=environment, logging_level=logging.WARNING)
    except Exception as error:  # Ray has many kinds
        reason = " ".join(str(error).split())[:120]
        raise InputError(
            f"no Ray cluster answers at {address} ({reason}); see `ray start`, or give --workers"
        ) from error
    return True


def _on_cluster(
    function: Callable[[Job], Result], jobs: Sequence[Job], workers: Workers, *, mine: bool
) -> Iterator[Result]:
    """As Ray tasks, spread over the machines; what a lost machine had not finished is done by others."""
    import ray

    try:
        task: Any = ray.remote(
            num_cpus=1, num_gpus=workers.gpus, max_retries=workers.retries, scheduling_strategy="SPREAD"
        )(_with_one_thread)
        room = _WAITING_PER_CPU * max(1, int(ray.cluster_resources().get("CPU", 1)))
        remaining = iter(jobs)
        waiting = [task.remote(function, job) for _, job in zip(range(room), remaining, strict=False)]
        while waiting:
            done, waiting = ray.wait(waiting)
            waiting += [task.remote(function, job) for _, job in zip(done, remaining, strict=False)]
            yield from ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None  # as other workers raise it
    finally:
        if mine:
            ray.shutdown()


def add_worker_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags that :func:`chosen_workers` reads."""
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes on this machine")
    parser.add_argument("--ray", metavar="ADDRESS", help="do the jobs on a Ray cluster, such as auto or HOST:6379")
    parser.add_argument("--gpus", type=float, default=0.0, help="share of a card that a job on the cluster takes")


def chosen_workers(args: argparse.Namespace) -> Workers:
    """Who does the jobs. Raises InputError."""
    return Workers(processes=args.workers, ray=args.ray, gpus=args.gpus)
