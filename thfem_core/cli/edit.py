"""``edit INPUT -o OUTPUT``: the main job."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..expression.editor import editors
from ..expression.request import (
    EMOTIONS,
    MAX_STRENGTH,
    ExpressionRequest,
    ReferenceClip,
    RegionStrengths,
    StrengthCurve,
)
from ..expression.sliders import ExpressionSliders, preset_names, slider_names
from ..talking_head.head import talking_heads
from .arguments import (
    NO_TALKING_HEAD,
    Commands,
    add_device_argument,
    add_face_arguments,
    add_strength_argument,
    add_window_arguments,
    path_argument,
    refuse_overwriting,
    window_config,
)
from .back_end_arguments import add_back_end_argument, add_option_arguments, given_options
from .bars import progress_bars

if TYPE_CHECKING:
    from ..pipeline import EditReport

REGIONS = ("brows", "eyes", "cheeks", "mouth")


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "edit",
        help="give the person in a clip another expression",
        description="Give the person in a clip another expression. Frames, times, size and sound stay as they are.",
    )
    parser.add_argument("input", type=path_argument, metavar="INPUT", help="a video file")
    parser.add_argument(
        "-o", "--output", type=path_argument, required=True, help="the edited video (.mp4, .mov or .mkv)"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--emotion", choices=EMOTIONS, metavar="EMOTION", help=f"one of: {', '.join(EMOTIONS)}")
    what.add_argument(
        "--reference", type=path_argument, metavar="CLIP", help="a clip or picture whose expression is copied"
    )
    parser.add_argument(
        "--slider",
        action="append",
        default=[],
        metavar="NAME=F|PRESET",
        help="a part of an expression, such as smile=0.6, or a preset or .json file of several; repeatable, alone "
        f"or on top of an emotion or reference. Sliders: {', '.join(slider_names())}. Presets: "
        f"{', '.join(preset_names())}",
    )
    add_strength_argument(parser)
    for region in REGIONS:
        parser.add_argument(
            f"--{region}", type=float, default=1.0, metavar="F", help=f"factor for the {region}, 0 to {MAX_STRENGTH}"
        )
    parser.add_argument("--curve", metavar="T:F,T:F", help='strength over time: "seconds:factor", such as "0:0,1.5:1"')
    add_back_end_argument(parser, "--editor", editors, purpose="The editing method")
    add_back_end_argument(
        parser,
        "--talking-head",
        talking_heads,
        purpose="What draws the lips on the edited frames",
        none="lips as the edit leaves them.",
    )
    parser.add_argument(
        "--drive",
        default="blend",
        metavar="audio|original|blend",
        help="what moves the lips: the sound, the lips of INPUT, or those and the sound where they are hidden "
        "(default: blend)",
    )
    add_window_arguments(parser)
    parser.add_argument(
        "--window-source",
        metavar="previous|first",
        help="the source of a window: the frame before it, as in the paper (default), or its own first frame",
    )
    add_face_arguments(parser)
    add_device_argument(parser)
    parser.add_argument("--crf", type=int, help="quality of the encoded video, 0 (lossless) to 51; lower is better")
    parser.add_argument(
        "--preset",
        help="speed of the H.264 encoder: ultrafast (large files) to veryslow (small ones; default: veryfast)",
    )
    parser.add_argument("--overwrite-input", action="store_true", help="allow OUTPUT to be INPUT itself")
    add_option_arguments(parser, editors, talking_heads, leave_out=["emotion"])
    return parser


def run(args: argparse.Namespace) -> None:
    refuse_overwriting(args.output, args.input, overwrite_input=args.overwrite_input)
    curve = StrengthCurve.parse(args.curve) if args.curve is not None else StrengthCurve()
    regions = RegionStrengths(**{region: getattr(args, region) for region in REGIONS})
    talking_head = None if args.talking_head == NO_TALKING_HEAD else args.talking_head
    for_lips = {"--drive": args.drive != "blend", "--window": args.window, "--overlap": args.overlap}
    if talking_head is None and any(for_lips.values()):
        flag = next(flag for flag, value in for_lips.items() if value)
        raise InputError(f"{flag} is for a talking head, and --talking-head none leaves it out; drop one of the two")
    options = given_options(args, {editors: args.editor, talking_heads: talking_head})
    read = [value for given in options.values() for value in given.values() if isinstance(value, Path)]
    refuse_overwriting(args.output, args.reference, *read)
    brings_expression = editors.back_end(args.editor).brings_expression
    sliders = ExpressionSliders.parse(args.slider) if args.slider else None
    if args.emotion is None and args.reference is None and sliders is None and not brings_expression:
        raise InputError("say what to do: --emotion NAME, --reference CLIP to copy an expression, or --slider NAME=F")

    from ..device import resolve_device
    from ..media.encoding import EncodingConfig
    from ..media.open_video import open_video
    from ..pipeline import EditConfig, edit_to_file

    request = ExpressionRequest(
        emotion=args.emotion or ("neutral" if args.reference is None and sliders is None else None),
        reference=None if args.reference is None else ReferenceClip(video=open_video(args.reference)),
        sliders=sliders,
        strength=args.strength,
        regions=regions,
        curve=curve,
    )
    config = EditConfig(
        request=request,
        editor=args.editor,
        editor_options=options[editors],
        face=args.face,
        face_order=args.face_order,
        talking_head=talking_head,
        talking_head_options=options[talking_heads],
        drive=args.drive,
        window=window_config(args),
        encoding=EncodingConfig(**{k: v for k in ("crf", "preset") if (v := getattr(args, k)) is not None}),
    )
    with progress_bars(quiet=args.quiet) as progress:
        report = edit_to_file(args.input, args.output, config, device=resolve_device(args.device), progress=progress)
    tell(report, quiet=args.quiet)


def tell(report: EditReport, *, quiet: bool) -> None:
    """Print warnings to stderr and what was done to stdout.

    Args:
        report: What was done, into which file.
        quiet: Print warnings only.
    """
    for warning in report.warnings:
        print(f"thfem: warning: {warning}", file=sys.stderr)
    if not quiet:
        print(f"{report.output}: {report.summary}")
