"""``edit INPUT -o OUTPUT``: the main job."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..expression.request import EMOTIONS, MAX_STRENGTH, ExpressionRequest, RegionStrengths, StrengthCurve
from .arguments import (
    NO_TALKING_HEAD,
    add_device_argument,
    add_face_arguments,
    add_strength_argument,
    add_window_arguments,
    frame_runs,
    window_config,
)
from .bars import progress_bars

if TYPE_CHECKING:
    from ..expression.editor import ExpressionEditor
    from ..pipeline import EditReport

REGIONS = ("brows", "eyes", "cheeks", "mouth")


def add_parser(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "edit",
        help="give the person in a clip another expression",
        description="Give the person in a clip another expression. Frames, times, size and sound stay as they are.",
    )
    parser.add_argument("input", type=Path, metavar="INPUT", help="a video file")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the edited video (.mp4, .mov or .mkv)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--emotion", choices=EMOTIONS, metavar="EMOTION", help=f"one of: {', '.join(EMOTIONS)}")
    what.add_argument("--reference", type=Path, metavar="CLIP", help="a clip or picture whose expression is copied")
    add_strength_argument(parser)
    for region in REGIONS:
        parser.add_argument(
            f"--{region}", type=float, default=1.0, metavar="F", help=f"factor for the {region}, 0 to {MAX_STRENGTH}"
        )
    parser.add_argument("--curve", metavar="T:F,T:F", help='strength over time: "seconds:factor", such as "0:0,1.5:1"')
    parser.add_argument("--editor", default="mesh", metavar="mesh|frames", help="the editing method (default: mesh)")
    parser.add_argument(
        "--texture",
        type=float,
        metavar="F",
        help="mesh editor: gain of wrinkles and shades, 0 (none) to 2 (default: 1)",
    )
    parser.add_argument(
        "--spectacles", metavar="auto|yes|no", help="mesh editor: hold spectacle frames rigid (default: auto)"
    )
    parser.add_argument(
        "--edited-frames", type=Path, metavar="PATH", help="with --editor frames: video or picture folder to take"
    )
    parser.add_argument(
        "--talking-head",
        default="mouth",
        metavar="mouth|eat|eamm|none",
        help="what draws the lips on the edited frames; mouth is embedded (default: mouth)",
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
    parser.add_argument("--preset", help="speed of the H.264 encoder: ultrafast (default) to veryslow (small files)")
    parser.add_argument("--overwrite-input", action="store_true", help="allow OUTPUT to be INPUT itself")
    return parser


def check_output(source: Path, output: Path, *, overwrite_input: bool) -> None:
    """Refuse to replace the input by accident. Raises InputError."""
    if not overwrite_input and output.exists() and source.exists() and output.samefile(source):
        raise InputError(f"the output would replace the input {source}; choose another name or add --overwrite-input")


def run(args: argparse.Namespace) -> None:
    curve = StrengthCurve.parse(args.curve) if args.curve is not None else StrengthCurve()
    regions = RegionStrengths(**{region: getattr(args, region) for region in REGIONS})
    editor_has_expression = args.editor == "frames"
    if args.emotion is None and args.reference is None and not editor_has_expression:
        raise InputError("say what to do: --emotion NAME, or --reference CLIP to copy an expression")
    if (args.edited_frames is not None) != editor_has_expression:
        raise InputError("--editor frames and --edited-frames PATH belong together: give both or neither")
    check_output(args.input, args.output, overwrite_input=args.overwrite_input)
    window = window_config(args)

    from ..device import resolve_device
    from ..media.encoding import EncodingConfig
    from ..pipeline import edit_file, open_reference

    device = resolve_device(args.device)
    encoding = EncodingConfig(**{k: v for k in ("crf", "preset") if (v := getattr(args, k)) is not None})
    with progress_bars(quiet=args.quiet) as progress:
        reference = None if args.reference is None else open_reference(args.reference, device=device, progress=progress)
        request = ExpressionRequest(
            emotion=args.emotion or ("neutral" if reference is None else None),
            reference=reference,
            strength=args.strength,
            regions=regions,
            curve=curve,
        )
        report = edit_file(
            args.input,
            args.output,
            request,
            device=device,
            editor=_editor(args),
            face=args.face,
            order=args.face_order,
            talking_head=None if args.talking_head == NO_TALKING_HEAD else args.talking_head,
            drive=args.drive,
            window=window,
            encoding=encoding,
            progress=progress,
        )
    tell(report, quiet=args.quiet)


def _editor(args: argparse.Namespace) -> str | ExpressionEditor:
    options = {name: getattr(args, name) for name in ("texture", "spectacles") if getattr(args, name) is not None}
    if options and args.editor != "mesh":
        raise InputError(f"--{next(iter(options))} belongs to --editor mesh; leave it out")
    from ..expression.editor import editors

    if options:
        from ..expression.mesh.editor import MeshEditorConfig

        return editors.load("mesh")(MeshEditorConfig(**options))
    if args.edited_frames is not None:
        return editors.load(args.editor)(edited=args.edited_frames)
    return args.editor


def tell(report: EditReport, *, quiet: bool) -> None:
    """Warnings to stderr, what was done to stdout."""
    for warning in report.warnings:
        print(f"thfem: {warning}", file=sys.stderr)
    if not quiet:
        print(summary(report))


def summary(report: EditReport) -> str:
    """One line on what was done, for people."""
    passed = sum(map(len, report.passed_through))
    if passed == report.frames:
        return f"{report.output}: no usable face found, all {report.frames} frames passed through unchanged"
    parts = [f"{report.frames - passed} of {report.frames} frames edited"]
    if passed:
        parts.append(f"passed through unchanged (no clear face): {frame_runs(report.passed_through)}")
    parts.append(f"sound: {report.sound}")
    if report.lips is not None:
        parts.append(f"lips drawn in {report.lips.drawn_frames} (drive {report.lips.drive})")
        parts += [f"lips left in {frames}: {reason}" for reason, frames in report.lips.left.items()]
    seconds = sum(report.seconds.values())
    parts.append(f"{seconds:.1f} s, {report.frames / seconds:.0f} frames/s")
    return f"{report.output}: " + "; ".join(parts)
