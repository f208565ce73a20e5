"""Build the paper's training pairs: edited neutral clips beside the real clips with the same words (Section 3.3).

    python -m training.build_pairs mead /data/MEAD runs/pairs --search --workers 8
    python -m training.build_pairs ravdess /data/RAVDESS runs/pairs_ned --editor frames --frames results/ned
    python -m training.build_pairs csv my/clips.csv runs/pairs_mine --by-label --ray auto --gpus 0.25

Runs on where it stopped; other settings need another OUT, except a higher --max-cost. OUT/index.html shows every pair,
the doubtful ones first; OUT/manifest.json lists them with hashes, and what was dropped and why. --alignments takes
frame maps made elsewhere.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from thfem_core.errors import ThfemError
from thfem_core.expression.editor import editors
from thfem_core.media.atomic import output_error

from .data.contact_sheet import write_page
from .data.layouts import DATASETS, read_dataset
from .data.pair_files import check_settings, write_manifest
from .data.pair_plan import PairConfig, plan_pairs
from .data.pairs import build_pair, check_tools
from .parallel import add_worker_arguments, chosen_workers, run_jobs
from .stored import check_folder, make_folder

_REASONS = 8  # that are printed


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.build_pairs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset", choices=DATASETS)
    parser.add_argument("root", type=Path, help="folder of the actors' folders; for csv the table of clips")
    parser.add_argument("out", type=Path)
    parser.add_argument("--editor", choices=editors.names(), default="mesh")
    parser.add_argument("--by-label", action="store_true", help="edit to the emotion's label, without a driver clip")
    parser.add_argument("--frames", type=Path, metavar="DIR", help="results of another system, for --editor frames")
    parser.add_argument(
        "--max-cost", type=float, default=PairConfig(out=Path()).max_cost, help="of a warping, per step"
    )
    parser.add_argument("--search", action="store_true", help="find the clip of the same words by the sound")
    parser.add_argument("--alignments", type=Path, metavar="DIR", help="frame maps PAIR.npy, .json or .txt")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 or auto")
    add_worker_arguments(parser)
    args = parser.parse_args(argv)
    try:
        config = PairConfig(
            out=args.out.absolute(),
            editor=args.editor,
            by_label=args.by_label,
            frames=args.frames and args.frames.absolute(),
            max_cost=args.max_cost,
            search=args.search,
            alignments=args.alignments and args.alignments.absolute(),
            device=args.device,
        )
        jobs, lacking = plan_pairs(read_dataset(args.dataset, args.root.absolute()), config)
        workers = chosen_workers(args)
        check_folder(config.out)
        check_settings(config)
        if workers.ray is None:  # a cluster's machines may have what this one lacks
            check_tools(config)
        results = run_jobs(build_pair, jobs, workers)
        make_folder(config.out)
        facts = list(tqdm(results, total=len(jobs), unit="pair", mininterval=10, disable=None))
        manifest = write_manifest(config, facts, lacking)
        page = write_page(config.out, facts, lacking)
    except ThfemError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:  # such as a full disk; whatever is read names its own faults
        fault = output_error(error, Path(error.filename or args.out))
        print(f"error: {fault}", file=sys.stderr)
        return fault.exit_code
    except KeyboardInterrupt:
        for part in args.out.glob(".*.part"):  # of workers that were killed
            shutil.rmtree(part, ignore_errors=True)
        print("stopped; run the same command again to go on", file=sys.stderr)
        return 130
    dropped = [row for row in facts if "dropped" in row]
    _print_reasons(dropped, config)
    built = len(facts) - len(dropped)
    print(f"{built} pairs, {len(dropped)} dropped, {len(lacking)} without a real clip: {manifest}, {page}")
    return 0 if built else 1


def _print_reasons(dropped: Sequence[dict[str, Any]], config: PairConfig) -> None:
    """Why pairs were dropped, the most frequent reasons first."""
    words = f"the warping costs more than {config.max_cost:g} per step: other words, or noise"
    reasons = Counter(words if "heard" in row else row["dropped"] for row in dropped).most_common()
    for reason, count in reasons[:_REASONS]:
        print(f"dropped {count}: {reason}", file=sys.stderr)
    if len(reasons) > _REASONS:
        print(f"dropped {sum(count for _, count in reasons[_REASONS:])} for other reasons", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
