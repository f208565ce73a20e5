"""``python -m tests.faults --cases 1000``: many damaged inputs, and a table of what came of them."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "media")]
COLUMNS = ("tried", "expected", "written", "lines", "leftovers", "faults")


def media_cases(count: int, folder: Path) -> Iterator[tuple[str, object]]:
    """Damaged clips of six kinds in turn: name of the kind, and outcome."""
    from .damage import make_clips
    from .media import copy_of_damaged

    (folder / "clips").mkdir()
    (folder / "work").mkdir()
    clips = make_clips(folder / "clips")
    for number in range(count):
        name = list(clips)[number % len(clips)]
        yield name, copy_of_damaged(clips[name], number // len(clips), folder / "work")


def command_cases(count: int, folder: Path) -> Iterator[tuple[str, object]]:
    """Damaged inputs of the commands in turn: name of the command, and outcome."""
    from .commands import COMMANDS, make_materials, outcome_of

    (folder / "materials").mkdir()
    (folder / "commands").mkdir()
    materials = make_materials(ROOT / "thfem_core" / "assets" / "demo.mp4", folder / "materials")
    for number in range(count):
        make = COMMANDS[number % len(COMMANDS)]
        yield make.__name__, outcome_of(make, materials, number // len(COMMANDS), folder / "commands")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="damaged clips to read and write (default: 1000)")
    parser.add_argument("--commands", type=int, default=90, help="damaged inputs of commands to try (default: 90)")
    args = parser.parse_args()
    rows: dict[str, Counter[str]] = {}
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        for cases, count in ((media_cases, args.cases), (command_cases, args.commands)):
            for name, outcome in cases(count, Path(folder)):
                rows.setdefault(name, Counter()).update(
                    tried=1,
                    expected=outcome.expected,
                    written=outcome.written,
                    lines=len(outcome.lines),
                    leftovers=len(outcome.leftovers),
                    faults=bool(outcome.fault),
                )
                if outcome.fault:
                    faults.append(f"{outcome.case}: {outcome.fault}")
    print("input", *COLUMNS, sep="\t")
    for name, row in rows.items():
        print(name, *(row[column] for column in COLUMNS), sep="\t")
    print(*faults, sep="\n")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
