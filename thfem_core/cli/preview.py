"""``preview INPUT -o PICTURE``: a frame before and after an edit, without editing the clip."""

from __future__ import annotations

import argparse
import math
import sys

from ..errors import InputError
from ..expression.editor import editors
from ..talking_head.head import talking_heads
from .arguments import Commands, path_argument, refuse_overwriting
from .back_end_arguments import add_option_arguments
from .bars import progress_bars
from .edit import add_edit_arguments, check_edit, edit_config
from .libraries import load_libraries


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "preview",
        help="show what an edit does to one frame",
        description="Write a picture of one frame before and after an edit, or of its face under many expressions. "
        "Only the frames around it are read.",
    )
    parser.add_argument("input", type=path_argument, metavar="INPUT", help="a video file or picture")
    parser.add_argument("-o", "--output", type=path_argument, required=True, help="the picture (.png or .jpg)")
    parser.add_argument("--at", type=_moment, default=0.0, metavar="SECONDS", help="the moment to show (default: 0)")
    parser.add_argument(
        "--sheet",
        choices=("emotions", "strengths"),
        help="show the face under all seven emotions, or under the expression at five strengths",
    )
    parser.add_argument(
        "--whole", action="store_true", help="find faces in the whole clip first: slower, and exactly as edit draws"
    )
    add_edit_arguments(parser)
    add_option_arguments(parser, editors, talking_heads, leave_out=["emotion"])
    return parser


def _moment(text: str) -> float:
    """Read a finite number, as argparse ``type``."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, such as 2.5")
    return seconds


def run(args: argparse.Namespace) -> None:
    from .pictures import check_picture_path, save_picture

    check_picture_path(args.output)
    refuse_overwriting(args.output, args.input)
    if args.sheet == "emotions" and not (args.expression or args.reference or args.slider):
        args.emotion = args.emotion or "neutral"
    options = check_edit(args)

    load_libraries()
    import numpy as np

    from ..device import resolve_device
    from ..media.open_video import open_video
    from ..pipeline import find_faces
    from ..pipeline.contact_sheet import contact_sheet, sheet_configs
    from ..pipeline.licence import permissive
    from ..pipeline.preview import ClipPreview

    config, left_out = permissive(edit_config(args, options))
    for line in left_out:
        print(f"thfem: warning: {line}", file=sys.stderr)
    device, video = resolve_device(args.device), open_video(args.input)
    with progress_bars(quiet=args.quiet) as progress:
        tracks = find_faces(video, device=device, progress=progress) if args.whole else None
        preview = ClipPreview(video, device=device, tracks=tracks, progress=progress)
        end = float(preview.time_of(preview.frame_count - 1) + 1 / video.info.frame_rate)
        if not 0 <= args.at <= end:
            raise InputError(f"--at {args.at:g} is outside of {video.info.name}; give 0 to {end:.2f} seconds")
        index = preview.frame_at(args.at)
        if args.sheet is not None:
            picture = contact_sheet(preview, index, sheet_configs(config, args.sheet))
        else:
            shown = preview.edit(index, config)
            picture = np.hstack([shown.source, shown.edited])
            if not args.quiet and not shown.faces:
                print(f"{args.input}: no face that can be edited in frame {index}")
    save_picture(args.output, picture)
    if not args.quiet:
        print(f"{args.output}: frame {index} at {float(preview.time_of(index)):.2f} s")
