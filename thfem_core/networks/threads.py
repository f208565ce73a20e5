"""CPU threads for large networks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def all_cpu_threads(device: torch.device) -> Iterator[None]:
    """Compute on all CPU threads where ``device`` is the CPU (as many as OMP_NUM_THREADS, where that is set), and
    restore PyTorch's setting. Streams of small networks run on one thread; large convolutions gain from more."""
    if device.type != "cpu":
        yield
        return
    before = torch.get_num_threads()
    threads = os.environ.get("OMP_NUM_THREADS", "")
    torch.set_num_threads(int(threads) if threads.isdigit() and int(threads) else os.cpu_count() or 1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
