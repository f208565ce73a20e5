"""Milliseconds per call of the face networks on one CPU thread.

    python -m benchmarks.face_networks [--calls 100]

``cpu`` is the thread's own time, which other programs on the machine hardly disturb; ``wall`` is what a user waits.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from fractions import Fraction
from statistics import median

import numpy as np
import torch

from thfem_core.face.mediapipe.models import load_mediapipe
from thfem_core.face.models import FaceRoi
from thfem_core.media.array_frame import ArrayFrame


def measured(call: Callable[[], object], calls: int) -> tuple[float, float, float]:
    """Median of the thread's time, its minimum, and median of the wall time, in ms, after some warming up."""
    for _ in range(5):
        call()
    cpu, wall = [], []
    for _ in range(calls):
        cpu_start, wall_start = time.thread_time(), time.perf_counter()
        call()
        cpu.append(1e3 * (time.thread_time() - cpu_start))
        wall.append(1e3 * (time.perf_counter() - wall_start))
    return median(cpu), min(cpu), median(wall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=100)
    calls = parser.parse_args().calls
    torch.set_num_threads(1)

    start = time.thread_time()
    models = load_mediapipe(torch.device("cpu"))
    print(f"load {time.thread_time() - start:.2f} s of CPU time")

    pixels = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    frame = ArrayFrame(index=0, time=Fraction(0), pixels=pixels)
    rois = [FaceRoi(cx=400 + 100 * i, cy=360, side=400, rotation=0.1) for i in range(4)]
    rows: dict[str, Callable[[], object]] = {
        "detect, short range only": lambda: models.detect_with(models.short_range, frame),
        "detect, full range only": lambda: models.detect_with(models.full_range, frame),
        "fit 1 face": lambda: models.fit(frame, rois[:1]),
        "fit 4 faces": lambda: models.fit(frame, rois),
    }
    print(f"{'720p frame, ms':28} {'cpu':>7} {'cpu min':>8} {'wall':>7}")
    for name, call in rows.items():
        cpu, least, wall = measured(call, calls)
        print(f"{name:28} {cpu:7.2f} {least:8.2f} {wall:7.2f}")


if __name__ == "__main__":
    main()
