"""Jobs that note where they ran, for workers in other processes."""

from __future__ import annotations

import os
import time
from pathlib import Path


def note_and_square(job: tuple[Path, int]) -> tuple[int, int]:
    """(folder, number) → (number, its square), half a second later; each attempt leaves a file that names its node."""
    folder, number = job
    node = os.environ.get("RAY_NODE_ID") or _node() or str(os.getpid())
    (folder / f"{number}-{node}-{time.time_ns()}").touch()
    time.sleep(0.5)
    return number, number**2


def _node() -> str:
    try:
        import ray
    except ImportError:
        return ""
    return ray.get_runtime_context().get_node_id() if ray.is_initialized() else ""


def fail(job: int) -> int:
    raise ValueError(f"job {job} cannot be done")
