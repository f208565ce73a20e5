"""``demo``: edit the sample clip that comes with the package, and show source and result side by side."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from .arguments import add_device_argument, add_emotion_argument, add_strength_argument
from .bars import progress_bars
from .edit import summary

DEMO_CLIP = Path(__file__).parents[1] / "assets" / "demo.mp4"
PICTURE_MOMENTS = (0.2, 0.4, 0.6, 0.8)  # shares of the clip's length


def add_parser(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "demo",
        help="edit the sample clip that comes with the package",
        description="Edit the sample clip; write source, result and a side-by-side picture into a folder.",
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("thfem_demo"), help="folder (default: thfem_demo)")
    add_emotion_argument(parser, default="happy")
    add_strength_argument(parser)
    add_device_argument(parser)
    return parser


def run(args: argparse.Namespace) -> None:
    from ..device import resolve_device
    from ..errors import OutputError
    from ..expression.request import ExpressionRequest
    from ..media import open_video
    from ..pipeline import edit_file
    from .compare import side_by_side
    from .pictures import save_picture

    request = ExpressionRequest(emotion=args.emotion, strength=args.strength)
    source = args.output / "demo_source.mp4"
    edited = args.output / f"demo_{args.emotion}.mp4"
    picture = edited.with_suffix(".jpg")
    device = resolve_device(args.device)
    try:
        args.output.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(DEMO_CLIP, source)
    except OSError as error:
        raise OutputError(f"cannot write into {args.output}: {error.strerror or error}") from error
    with progress_bars(quiet=args.quiet) as progress:
        report = edit_file(source, edited, request, device=device, progress=progress)
    save_picture(picture, side_by_side(open_video(source), open_video(edited), moments=PICTURE_MOMENTS))
    if not args.quiet:
        print(summary(report))
        print(f"source: {source}\nside by side: {picture}")
