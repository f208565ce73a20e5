"""Prepare clips for training: tracks, mouth regions, sound, and how well the two are in step. Resumable, parallel.

    python -m training.build_dataset DATA OUT [--workers 8] [--splits train val test] [--pictures-per-person 60]

DATA holds ``index.csv`` (columns file, identity, split and, if there, has_sound and origin) and the clips, 25 frames
per second, in ``crops/``. Splits are by identity: whoever occurs in several is kept for the test. Each clip becomes
``OUT/NAME.npz`` (see :class:`PreparedClip`) and, for the first clips of a person, ``OUT/NAME.regions.npy``; clips that
are there are not made again. Clips without a face in every frame are skipped and listed at the end.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from thfem_core.errors import ThfemError
from thfem_core.talking_head.mouth.region import SIDE

from .data.prepare import STRICTEST, prepare_job, read_index
from .parallel import add_worker_arguments, chosen_workers, run_jobs


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    add_worker_arguments(parser)
    parser.add_argument("--splits", nargs="+", choices=STRICTEST, default=["train", "val", "test"])
    parser.add_argument("--pictures-per-person", type=int, default=60, help="clips of a person kept as pictures too")
    arguments = parser.parse_args(argv)
    try:
        rows = read_index(arguments.data, arguments.splits)
    except ThfemError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    arguments.out.mkdir(parents=True, exist_ok=True)

    # Sound first (it is what the rest of the training waits for), then a fixed shuffle, so that a person's picture
    # clips are spread over their recordings.
    rows.sort(key=lambda row: (row.get("has_sound", "1") != "1", zlib.crc32(row["file"].encode())))
    pictures: Counter[str] = Counter()
    jobs = []
    for row in rows:
        pictures[row["identity"]] += 1
        out = arguments.out / (Path(row["file"]).stem + ".npz")
        if not out.exists():
            with_regions = pictures[row["identity"]] <= arguments.pictures_per_person
            jobs.append((arguments.data / "crops" / row["file"], out, row, with_regions))
    skipped = []
    results = run_jobs(prepare_job, jobs, chosen_workers(arguments))
    for name, reason in tqdm(results, total=len(jobs), unit="clip", mininterval=10):
        if reason:
            skipped.append(f"{name}: {reason}")
    for line in skipped:
        print("skipped", line)
    print(f"{len(jobs) - len(skipped)} clips prepared in {arguments.out}; the region's side is {SIDE:g} face units")
    return 0


if __name__ == "__main__":
    sys.exit(main())
