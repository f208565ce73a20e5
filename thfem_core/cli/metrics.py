"""``metrics SOURCE OUTPUT``: what an edit kept and what it changed, in numbers."""

from __future__ import annotations

import argparse
import json
import sys

from ..expression.request import EMOTIONS
from .arguments import Commands, add_device_argument, path_argument, refuse_overwriting
from .bars import progress_bars

NETWORKS = ("auto", "official", "offline", "none")


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "metrics",
        help="measure what an edit kept and what it changed",
        description="Measure an edited clip against its source: speech kept, expression changed, same person, steady "
        "picture. Prints a table with the good and bad range of each number.",
    )
    parser.add_argument("source", type=path_argument, metavar="SOURCE", help="the clip before the edit")
    parser.add_argument("output", type=path_argument, metavar="OUTPUT", help="the clip after the edit")
    parser.add_argument(
        "--reference", type=path_argument, metavar="CLIP", help="a real clip of the wanted expression (CSIM, FAD)"
    )
    parser.add_argument(
        "--ground-truth",
        type=path_argument,
        metavar="CLIP",
        help="what OUTPUT should be, pixel by pixel (PSNR, SSIM, LPIPS)",
    )
    parser.add_argument("--target-emotion", choices=EMOTIONS, metavar="EMOTION", help=f"one of: {', '.join(EMOTIONS)}")
    parser.add_argument("--json", type=path_argument, metavar="FILE", help="write all numbers there, too")
    parser.add_argument(
        "--report", type=path_argument, metavar="DIR", help="write report.html with plots and pictures there"
    )
    parser.add_argument(
        "--networks",
        choices=NETWORKS,
        default="auto",
        help="auto: those whose files are at hand; official: those of the papers, downloaded if need be; "
        "offline: stand-ins; none (default: auto)",
    )
    parser.add_argument(
        "--models",
        type=path_argument,
        action="append",
        default=[],
        metavar="DIR",
        help="look for network files there first",
    )
    parser.add_argument(
        "--every",
        type=int,
        default=5,
        metavar="N",
        help="networks look at every N-th frame; 1 as papers do (default: 5)",
    )
    add_device_argument(parser)
    return parser


def run(args: argparse.Namespace) -> None:
    from ..device import resolve_device
    from ..face.models import default_face_models
    from ..media.atomic import check_output, complete_file
    from ..media.open_video import open_video
    from ..metrics.comparison import compare_clips
    from ..metrics.judges.choosing import choose_judges
    from ..metrics.report import check_report_folder, write_report
    from ..metrics.verdict_table import as_data, text_table
    from ..metrics.visual_pass import ComparisonConfig

    if args.json is not None:
        refuse_overwriting(args.json, args.source, args.output, args.reference, args.ground_truth)
        check_output(args.json)
    if args.report is not None:
        check_report_folder(args.report)
    device, config = resolve_device(args.device), ComparisonConfig(every=args.every)
    source, output = open_video(args.source), open_video(args.output)
    reference, truth = (None if path is None else open_video(path) for path in (args.reference, args.ground_truth))
    with progress_bars(quiet=args.quiet) as progress:
        judges, missing = choose_judges(
            args.networks,
            device=device,
            folders=args.models,
            with_truth=args.ground_truth is not None,
            progress=progress,
        )
        comparison = compare_clips(
            source,
            output,
            faces=default_face_models(device),
            judges=judges,
            reference=reference,
            truth=truth,
            target_emotion=args.target_emotion,
            config=config,
            progress=progress,
        )
    if args.json is not None:
        with complete_file(args.json) as temporary:
            temporary.write_text(json.dumps(as_data(comparison), indent=1, ensure_ascii=False), encoding="utf-8")
    page = None if args.report is None else write_report(comparison, args.report)
    if missing and not args.quiet:
        print(f"thfem: left out, their files are not on this machine: {', '.join(missing)}", file=sys.stderr)
    print(text_table(comparison))
    if page is not None and not args.quiet:
        print(f"\n{page}")
