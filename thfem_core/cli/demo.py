"""``demo``: edit the sample clip that comes with the package, and show source and results side by side."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from ..expression.request import EMOTIONS
from .arguments import Commands, add_device_argument, add_strength_argument, path_argument
from .bars import progress_bars
from .edit import tell
from .libraries import load_libraries

DEMO_CLIP = Path(__file__).parents[1] / "assets" / "demo.mp4"
PICTURE_MOMENTS = (0.08, 0.45, 0.56, 0.85)  # shares of the clip's length: mouth shut, open, and in between


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "demo",
        help="edit the sample clip that comes with the package",
        description="Edit the sample clip; write source, result and a side-by-side picture into a folder.",
    )
    parser.add_argument(
        "-o", "--output", type=path_argument, default=Path("thfem_demo"), help="folder (default: thfem_demo)"
    )
    parser.add_argument(
        "--emotion",
        nargs="+",
        choices=EMOTIONS,
        default=["happy"],
        metavar="EMOTION",
        help=f"one or more of: {', '.join(EMOTIONS)} (default: happy)",
    )
    add_strength_argument(parser)
    add_device_argument(parser)
    return parser


def run(args: argparse.Namespace) -> None:
    load_libraries()
    from ..device import resolve_device
    from ..expression.request import ExpressionRequest
    from ..media.atomic import output_error
    from ..media.open_video import open_video
    from ..pipeline import EditConfig, edit_to_file
    from .compare import side_by_side
    from .pictures import save_picture

    requests = {name: ExpressionRequest(emotion=name, strength=args.strength) for name in args.emotion}
    device = resolve_device(args.device)
    source, picture = args.output / "demo_source.mp4", args.output / "demo.jpg"
    try:
        args.output.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(DEMO_CLIP, source)
    except OSError as error:
        raise output_error(error, args.output) from error
    edited = {}
    with progress_bars(quiet=args.quiet) as progress:
        for name, request in requests.items():
            output = args.output / f"demo_{name}.mp4"
            report = edit_to_file(source, output, EditConfig(request=request), device=device, progress=progress)
            edited[name] = open_video(output)
            tell(report, quiet=args.quiet)
    save_picture(picture, side_by_side(open_video(source), edited, moments=PICTURE_MOMENTS))
    if not args.quiet:
        print(f"source: {source}\nside by side: {picture}")
