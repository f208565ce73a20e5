"""Build the paper's training pairs: edited neutral clips beside the real clips with the same words (Section 3.3).

    python -m training.build_pairs mead /data/MEAD runs/pairs --search --workers 8
    python -m training.build_pairs ravdess /data/RAVDESS runs/pairs --editor frames --frames results/ned
    python -m training.build_pairs csv my/clips.csv runs/pairs --by-label --ray auto --gpus 0.25

Runs on where it stopped. OUT/index.html shows every pair, the doubtful ones first; OUT/manifest.json lists them with
hashes, and what was dropped and why. --alignments takes frame maps made elsewhere.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from thfem_core.errors import InputError, ThfemError
from thfem_core.expression.editor import editors

from .data.contact_sheet import write_page
from .data.layouts import DATASETS, read_dataset
from .data.pair_files import write_manifest
from .data.pair_plan import PairConfig, plan_pairs
from .data.pairs import build_pair
from .parallel import add_worker_arguments, chosen_workers, run_jobs


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
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    add_worker_arguments(parser)
    args = parser.parse_args(argv)
    try:
        if (args.editor == "frames") != (args.frames is not None):
            raise InputError("--editor frames and --frames DIR, the folder of another system's results, go together")
        config = PairConfig(
            out=args.out.absolute(),
            editor=args.editor,
            by_label=args.by_label,
            frames=args.frames,
            max_cost=args.max_cost,
            search=args.search,
            alignments=args.alignments,
            device=args.device,
        )
        jobs, lacking = plan_pairs(read_dataset(args.dataset, args.root.absolute()), config)
        args.out.mkdir(parents=True, exist_ok=True)
        results = run_jobs(build_pair, jobs, chosen_workers(args))
        facts = list(tqdm(results, total=len(jobs), unit="pair", mininterval=10, disable=None))
        manifest = write_manifest(config, facts, lacking)
        page = write_page(config.out, facts, lacking)
    except ThfemError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    dropped = sum("dropped" in row for row in facts)
    print(f"{len(facts) - dropped} pairs, {dropped} dropped, {len(lacking)} without a real clip: {manifest}, {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
