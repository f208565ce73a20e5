"""``edit INPUT -o OUTPUT``: the main job."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..expression.editor import editors
from ..registry import Registry
from ..talking_head.head import talking_heads
from .arguments import (
    NO_TALKING_HEAD,
    Commands,
    add_device_argument,
    add_face_arguments,
    add_occlusion_argument,
    add_window_arguments,
    path_argument,
    read_occlusion,
    refuse_overwriting,
    window_config,
)
from .back_end_arguments import add_back_end_argument, add_option_arguments, given_options
from .bars import progress_bars
from .expression_arguments import add_expression_arguments, check_expression, expression_request
from .libraries import load_libraries

if TYPE_CHECKING:
    from ..pipeline import EditConfig, EditReport

GivenOptions = Mapping[Registry[Any], dict[str, Any]]


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
    add_edit_arguments(parser)
    add_encoding_arguments(parser)
    parser.add_argument("--overwrite-input", action="store_true", help="allow OUTPUT to be INPUT itself")
    add_option_arguments(parser, editors, talking_heads, leave_out=["emotion"])
    return parser


def add_edit_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that :func:`check_edit` and :func:`edit_config` read, but for options of back ends."""
    add_expression_arguments(parser)
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
    add_occlusion_argument(parser)
    parser.add_argument(
        "--licence",
        default="any",
        metavar="any|commercial",
        help="commercial: use only parts whose licence allows that, and say what is left out (default: any)",
    )
    add_device_argument(parser)


def add_encoding_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that :func:`encoded` reads."""
    parser.add_argument("--crf", type=int, help="quality of the encoded video, 0 (lossless) to 51; lower is better")
    parser.add_argument(
        "--preset",
        help="speed of the encoder: ultrafast (large files) to veryslow (small ones; default: fast, and small files)",
    )


def run(args: argparse.Namespace) -> None:
    refuse_overwriting(args.output, args.input, overwrite_input=args.overwrite_input)
    options = check_edit(args)

    from ..media.source import check_clip

    check_clip(args.input)  # before the networks' library is loaded, which takes seconds

    load_libraries()
    from ..device import resolve_device
    from ..pipeline import edit_to_file

    config = encoded(edit_config(args, options), args)
    with progress_bars(quiet=args.quiet) as progress:
        report = edit_to_file(args.input, args.output, config, device=resolve_device(args.device), progress=progress)
    tell(report, quiet=args.quiet)


def check_edit(args: argparse.Namespace) -> GivenOptions:
    """Refuse, before anything is loaded, flags that contradict each other.

    Args:
        args: The parsed command line.

    Returns:
        The options of back ends that were given, for :func:`edit_config`.

    Raises:
        InputError: No expression is named, an option belongs to no chosen back end, or the output is a file to read.
    """
    talking_head = None if args.talking_head == NO_TALKING_HEAD else args.talking_head
    for_lips = {"--drive": args.drive != "blend", "--window": args.window, "--overlap": args.overlap}
    if talking_head is None and any(for_lips.values()):
        flag = next(flag for flag, value in for_lips.items() if value)
        raise InputError(f"{flag} is for a talking head, and --talking-head none leaves it out; drop one of the two")
    options = given_options(args, {editors: args.editor, talking_heads: talking_head})
    read = [value for given in options.values() for value in given.values() if isinstance(value, Path)]
    mask = args.occlusion if isinstance(args.occlusion, Path) else None
    refuse_overwriting(args.output, args.reference, mask, *read)
    check_expression(args)
    return options


def edit_config(args: argparse.Namespace, options: GivenOptions) -> EditConfig:
    """Read the flags of :func:`add_edit_arguments`.

    Args:
        args: The parsed command line.
        options: From :func:`check_edit`.

    Returns:
        What to do with a clip.

    Raises:
        InputError: A value is not allowed, or a file cannot be read.
    """
    from ..pipeline import EditConfig

    return EditConfig(
        request=expression_request(args),
        editor=args.editor,
        editor_options=options[editors],
        face=args.face,
        face_order=args.face_order,
        talking_head=None if args.talking_head == NO_TALKING_HEAD else args.talking_head,
        talking_head_options=options[talking_heads],
        drive=args.drive,
        window=window_config(args),
        occlusion=read_occlusion(args.occlusion),
        licence=args.licence,
    )


def encoded(config: EditConfig, args: argparse.Namespace) -> EditConfig:
    """The edit with the encoding of :func:`add_encoding_arguments`."""
    from ..media.encoding import EncodingConfig

    said = {name: value for name in ("crf", "preset") if (value := getattr(args, name)) is not None}
    return replace(config, encoding=EncodingConfig(**said))


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
