"""The paper's evaluation on MEAD or RAVDESS: results of every system, their measures, its tables, and the user study.

    python -m training.evaluate run mead /data/MEAD OUT --systems mesh mesh+mouth NED=frames:ned NED+EAT=frames:ned+eat
    python -m training.evaluate tables mead OUT [--format md|csv|latex]
    python -m training.evaluate cdrl mead /data/MEAD OUT --models DIR
    python -m training.evaluate study OUT STUDY --pair NED NED+EAT --pair mesh mesh+mouth
    python -m training.evaluate ratings STUDY/key.json answers-*.csv
    python -m training.evaluate complexity --systems mesh mesh+mouth

``run`` continues where it stopped and works on one machine (--workers) or many (--ray ADDRESS, OUT on a shared disk).
A system is NAME=EDITOR[:label|:FOLDER][+TALKING_HEAD][@WINDOW]; see ``training/evaluation/systems.py``. Data sets:
``training/data/layouts.py``; splits and pairs: ``training/evaluation/pairs.py``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from thfem_core.cli.demo import DEMO_CLIP
from thfem_core.device import resolve_device
from thfem_core.errors import ThfemError
from thfem_core.media.atomic import complete_file
from thfem_core.media.open_video import open_video

from .config import check_flags, check_least
from .data.layouts import DATASETS, read_dataset
from .evaluation.cdrl import comparison_table, measure_emotion, result_jobs, save_numbers
from .evaluation.cdrl_folders import folder_jobs
from .evaluation.complexity_table import complexity_table
from .evaluation.jobs import Job, JobConfig, measure_all
from .evaluation.pairs import held_out_clips, make_pairs
from .evaluation.results import Results
from .evaluation.study import Result, make_items, ratings, write_study
from .evaluation.systems import parse_system
from .evaluation.tables import Table, all_tables
from .parallel import add_worker_arguments, chosen_workers, run_jobs
from .stored import make_folder, reading

FORMATS = {"md": Table.markdown, "csv": Table.csv, "latex": Table.latex}
CLIPS = "clips.json"


def add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("run", help="make and measure the results of systems")
    parser.add_argument("dataset", choices=DATASETS)
    parser.add_argument("root", type=Path, help="the folder that holds the actors' folders")
    parser.add_argument("out", type=Path)
    parser.add_argument("--systems", nargs="+", required=True, metavar="SYSTEM")
    parser.add_argument("--settings", nargs="+", choices=("intra", "cross"), default=["intra", "cross"])
    parser.add_argument("--networks", choices=("official", "offline", "none"), default="official")
    parser.add_argument("--models", type=Path, action="append", default=[], metavar="DIR", help="network files")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="networks look at every N-th frame")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    add_worker_arguments(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N pairs per setting")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code 1 where a job failed."""
    systems = [parse_system(text) for text in args.systems]
    clips = read_dataset(args.dataset, args.root)
    pairs = {setting: make_pairs(clips, setting)[: args.limit] for setting in args.settings}
    config = JobConfig(
        out=args.out.absolute(),
        networks=args.networks,
        folders=tuple(args.models),
        every=args.every,
        device=_device(args),
    )
    jobs = [Job(config=config, system=s, pair=pair) for some in pairs.values() for pair in some for s in systems]
    make_folder(args.out)
    paths = {clip.name: str(clip.video.absolute()) for clip in clips}
    with complete_file(args.out / CLIPS) as path:
        path.write_text(json.dumps(paths, indent=1), encoding="utf-8")
    failures = measure_all(jobs, chosen_workers(args))
    for line in failures:
        print(f"failed: {line}", file=sys.stderr)
    return 1 if failures else 0


def _device(args: argparse.Namespace) -> str:
    """The device as workers are told. A cluster's machines may have cards that this one lacks."""
    return args.device if args.ray else str(resolve_device(args.device))


def add_tables(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("tables", help="print the paper's tables from the results")
    parser.add_argument("dataset", choices=DATASETS)
    parser.add_argument("out", type=Path)
    parser.add_argument("--format", choices=tuple(FORMATS), default="md")
    parser.set_defaults(run=tables)


def tables(args: argparse.Namespace) -> int:
    for table in all_tables(Results(args.out), args.dataset):
        if args.format == "csv":
            print(f"# {table.title}")
        print(FORMATS[args.format](table), end="\n\n")
    both = comparison_table(args.out, args.dataset)
    if both is not None:
        print(FORMATS[args.format](both))
    return 0


def add_cdrl(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("cdrl", help="measure results by the paper group's own protocol")
    parser.add_argument("dataset", choices=("mead", "ravdess"))
    parser.add_argument("root", type=Path, help="the folder that holds the actors' folders")
    parser.add_argument("out", type=Path, help="what run left; with --pictures only where the numbers go")
    parser.add_argument(
        "--pictures", type=Path, nargs=2, metavar=("GENERATED", "REAL"), help="published folders instead"
    )
    parser.add_argument("--system", default="published", help="name of the system of --pictures")
    parser.add_argument("--setting", choices=("intra", "cross"), default="intra", help="of --pictures")
    parser.add_argument("--seed", type=int, default=1, help="of CSIM's draw; 1 in the protocol")
    parser.add_argument("--models", type=Path, action="append", default=[], metavar="DIR", help="network files")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    add_worker_arguments(parser)
    parser.set_defaults(run=by_cdrl)


def by_cdrl(args: argparse.Namespace) -> int:
    check_least("--seed", args.seed, 0)
    settings = {
        "models": tuple(args.models),
        "device": _device(args),
        "seed": args.seed,
        "margin": 0 if args.dataset == "ravdess" else 35,
    }
    if args.pictures:
        generated, real = args.pictures
        clips = read_dataset(args.dataset, args.root) if args.dataset == "ravdess" and args.root.is_dir() else []
        jobs, notes = folder_jobs(generated, real, args.dataset, args.setting, args.system, clips=clips, **settings)
        for line in notes:
            print(line, file=sys.stderr)
    else:
        clips = read_dataset(args.dataset, args.root)
        jobs = result_jobs(args.out.absolute(), clips, held_out_clips(clips), **settings)
    make_folder(args.out)
    save_numbers(args.out, list(run_jobs(measure_emotion, jobs, chosen_workers(args))))
    table = comparison_table(args.out, args.dataset)
    if table is not None:
        print(table.markdown())
    return 0


def add_study(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("study", help="make the page of a user study")
    parser.add_argument("out", type=Path)
    parser.add_argument("folder", type=Path, metavar="STUDY")
    parser.add_argument("--pair", nargs=2, action="append", required=True, metavar=("BASELINE", "SYSTEM"))
    parser.add_argument("--per-emotion", type=int, default=2, metavar="N", help="results per emotion and pair")
    parser.set_defaults(run=study)


def study(args: argparse.Namespace) -> int:
    found = finished(args.out)
    items = make_items(found, [tuple(pair) for pair in args.pair], per_emotion=args.per_emotion)
    print(f"{write_study(found, items, args.folder)}: {len(items)} choices")
    return 0


def finished(out: Path) -> list[Result]:
    """The results that ``run`` left. Raises InputError where there are none, or one is damaged."""
    with reading(out / CLIPS, remedy="run `python -m training.evaluate run` first"):
        clips = dict(json.loads((out / CLIPS).read_text(encoding="utf-8")))
    results = []
    for path in sorted(out.glob("*/*/*.json")):
        with reading(path, remedy="delete it and run `python -m training.evaluate run` again"):
            facts = json.loads(path.read_text(encoding="utf-8"))
            results.append(
                Result(
                    system=facts["system"],
                    setting=facts["setting"],
                    emotion=facts["emotion"],
                    source_clip=facts["source_clip"],
                    video=path.with_suffix(".mp4"),
                    source=Path(clips[facts["source_clip"]]),
                    reference=Path(clips[facts["reference_clip"]]),
                )
            )
    return results


def add_ratings(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("ratings", help="print Table 4 from participants' answers")
    parser.add_argument("key", type=Path, metavar="STUDY/key.json")
    parser.add_argument("answers", type=Path, nargs="+", metavar="CSV")
    parser.add_argument("--format", choices=tuple(FORMATS), default="md")
    parser.set_defaults(run=lambda args: print(FORMATS[args.format](ratings(args.key, args.answers))))


def add_complexity(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("complexity", help="print Table 7: parameters and multiply-accumulates")
    parser.add_argument("--systems", nargs="+", required=True, metavar="SYSTEM")
    parser.add_argument("--clip", type=Path, default=DEMO_CLIP, help="what is drawn (default: the demo clip)")
    parser.add_argument("--format", choices=tuple(FORMATS), default="md")
    parser.set_defaults(run=complexity)


def complexity(args: argparse.Namespace) -> int:
    table = complexity_table([parse_system(text) for text in args.systems], open_video(args.clip))
    print(FORMATS[args.format](table))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (add_run, add_tables, add_cdrl, add_study, add_ratings, add_complexity):
        add(commands)
    args = parser.parse_args(argv)
    try:
        check_flags(args, "limit", "every", "per_emotion")
        return args.run(args) or 0
    except ThfemError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("evaluate: stopped; run the same command again to go on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
