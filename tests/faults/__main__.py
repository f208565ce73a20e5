"""``python -m tests.faults --cases 1000``: many damaged clips, and a table of what came of them."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "media")]


def main() -> int:
    from .damage import make_clips
    from .media import copy_of_damaged

    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="damaged clips to try")
    cases = parser.parse_args().cases
    rows: dict[str, Counter[str]] = {}
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        clips = make_clips(Path(folder))
        work = Path(folder, "work")
        work.mkdir()
        for seed in range(cases):
            clip = clips[seed % len(clips)]
            outcome = copy_of_damaged(clip, seed // len(clips), work)
            row = rows.setdefault(clip.suffix, Counter())
            row.update(
                tried=1,
                expected=outcome.expected,
                written=outcome.written,
                lines=len(outcome.lines),
                leftovers=len(outcome.leftovers),
                faults=bool(outcome.fault),
            )
            if outcome.fault:
                faults.append(f"{outcome.case}: {outcome.fault}")
    columns = ("tried", "expected", "written", "lines", "leftovers", "faults")
    print("container", *columns, sep="\t")
    for suffix, row in rows.items():
        print(suffix, *(row[column] for column in columns), sep="\t")
    print(*faults, sep="\n")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
