"""Several frames at a time on a CPU."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from ...device import one_cpu_thread

WORKERS = min(2, os.cpu_count() or 1)
Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item], device: torch.device) -> list[Result]:
    """Apply a function to items, on a CPU by :data:`WORKERS` threads with one PyTorch thread each.

    Networks of this size gain more from that than from PyTorch's own threads.

    Args:
        work: The function. Its first exception is raised, after the threads have ended.
        items: What it is applied to.
        device: Where its networks run; on other devices than a CPU everything runs in the caller's thread.

    Returns:
        The results in the order of the items.
    """
    if device.type != "cpu" or len(items) < 2 or WORKERS < 2:
        return [work(item) for item in items]

    def work_alone(item: Item) -> Result:
        with one_cpu_thread():
            return work(item)

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="mouth") as pool:
        try:
            return list(pool.map(work_alone, items))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
