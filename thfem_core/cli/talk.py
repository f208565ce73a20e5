"""``talk PICTURE_OR_VIDEO SOUND -o OUTPUT``: a portrait that says what is heard."""

from __future__ import annotations

import argparse
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from ..expression.request import EMOTIONS, ExpressionRequest
from ..talking_head.head import talking_heads
from .arguments import (
    Commands,
    add_device_argument,
    add_face_arguments,
    add_occlusion_argument,
    add_strength_argument,
    add_window_arguments,
    path_argument,
    read_occlusion,
    refuse_overwriting,
    window_config,
)
from .back_end_arguments import add_back_end_argument, add_option_arguments, given_options
from .bars import progress_bars
from .edit import tell
from .libraries import load_libraries


def frame_rate(text: str) -> Fraction:
    """``25``, ``29.97`` (the broadcast rate) or ``30000/1001``, as argparse ``type``."""
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 1 <= rate <= 240:
        raise argparse.ArgumentTypeError(f"{text!r} is not a frame rate; give 1 to 240 frames per second, such as 25")
    exact = (Fraction(whole * 1000, 1001) for whole in (24, 30, 60, 120))
    return next((broadcast for broadcast in exact if abs(rate - broadcast) < Fraction(1, 200)), rate)


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "talk",
        help="make a portrait speak, or a clip speak another sound",
        description="Make a portrait speak for as long as the sound lasts, or a clip speak another sound.",
    )
    parser.add_argument("input", type=path_argument, metavar="PICTURE_OR_VIDEO", help="a portrait, or a video file")
    parser.add_argument("sound", type=path_argument, metavar="SOUND", help="a sound or video file with speech")
    parser.add_argument(
        "-o", "--output", type=path_argument, required=True, help="the talking video (.mp4, .mov or .mkv)"
    )
    parser.add_argument("--fps", type=frame_rate, default=Fraction(25), help="frame rate for a picture (default: 25)")
    parser.add_argument(
        "--emotion", choices=EMOTIONS, metavar="EMOTION", help=f"an expression besides: {', '.join(EMOTIONS)}"
    )
    add_strength_argument(parser)
    add_back_end_argument(parser, "--talking-head", talking_heads, purpose="What draws the lips")
    add_window_arguments(parser)
    add_face_arguments(parser)
    add_occlusion_argument(parser)
    add_device_argument(parser)
    parser.add_argument("--overwrite-input", action="store_true", help="allow OUTPUT to be an input itself")
    add_option_arguments(parser, talking_heads, leave_out=["emotion"])
    return parser


def run(args: argparse.Namespace) -> None:
    refuse_overwriting(args.output, args.input, args.sound, overwrite_input=args.overwrite_input)
    refuse_overwriting(args.output, args.occlusion if isinstance(args.occlusion, Path) else None)
    request = None if args.emotion is None else ExpressionRequest(emotion=args.emotion, strength=args.strength)
    options = given_options(args, {talking_heads: args.talking_head})

    from ..media.source import check_clip

    for path in (args.input, args.sound):  # before the networks' library is loaded, which takes seconds
        check_clip(path)

    load_libraries()
    from ..device import resolve_device
    from ..pipeline import EditConfig, edit_to_file, open_speaker, read_speech

    config = EditConfig(
        request=request,
        face=args.face,
        face_order=args.face_order,
        talking_head=args.talking_head,
        talking_head_options=options[talking_heads],
        drive="audio",
        window=window_config(args),
        occlusion=read_occlusion(args.occlusion),
    )
    warnings: list[str] = []
    sound = read_speech(args.sound, warn=warnings.append)
    video = open_speaker(args.input, sound, frame_rate=args.fps)
    with progress_bars(quiet=args.quiet) as progress:
        report = edit_to_file(
            video, args.output, config, device=resolve_device(args.device), sound=sound, progress=progress
        )
    tell(replace(report, warnings=(*warnings, *report.warnings)), quiet=args.quiet)
