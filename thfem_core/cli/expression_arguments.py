"""Flags that say which expression to give, and the request they make."""

from __future__ import annotations

import argparse

from ..errors import InputError
from ..expression.editor import editors
from ..expression.request import (
    EMOTIONS,
    MAX_STRENGTH,
    REGIONS,
    ExpressionRequest,
    ReferenceClip,
    RegionStrengths,
    StrengthCurve,
)
from ..expression.saved_request import adjusted, expression_presets, load_expression
from ..expression.sliders import ExpressionSliders, slider_names, slider_presets
from .arguments import add_strength_argument, path_argument


def add_expression_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that :func:`expression_request` reads."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--emotion", choices=EMOTIONS, metavar="EMOTION", help=f"one of: {', '.join(EMOTIONS)}")
    what.add_argument(
        "--expression",
        metavar="PRESET|FILE",
        help="an expression by name, or a .json file of one that was saved; strength and region factors multiply its "
        f"own. Presets: {', '.join(expression_presets())}",
    )
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
        f"{', '.join(slider_presets())}",
    )
    add_strength_argument(parser)
    for region in REGIONS:
        parser.add_argument(
            f"--{region}", type=float, default=1.0, metavar="F", help=f"factor for the {region}, 0 to {MAX_STRENGTH}"
        )
    parser.add_argument("--curve", metavar="T:F,T:F", help='strength over time: "seconds:factor", such as "0:0,1.5:1"')


def check_expression(args: argparse.Namespace) -> None:
    """Refuse, before anything is loaded, a command that says of no expression.

    Raises:
        InputError: It does not, and neither does its editor.
    """
    said = (args.emotion, args.expression, args.reference, args.slider or None)
    if all(each is None for each in said) and not editors.back_end(args.editor).brings_expression:
        raise InputError(
            "say what to do: --emotion NAME, --expression PRESET, --reference CLIP to copy an expression, or --slider "
            "NAME=F"
        )


def expression_request(args: argparse.Namespace) -> ExpressionRequest:
    """Read the flags.

    Args:
        args: The parsed command line.

    Returns:
        The request.

    Raises:
        InputError: A value is not allowed, or a file cannot be read.
    """
    regions = RegionStrengths(**{region: getattr(args, region) for region in REGIONS})
    curve = StrengthCurve.parse(args.curve) if args.curve is not None else None
    sliders = ExpressionSliders.parse(args.slider) if args.slider else None
    if args.expression is not None:
        preset = load_expression(args.expression)
        return adjusted(preset, strength=args.strength, regions=regions, curve=curve, sliders=sliders)
    reference = None
    if args.reference is not None:
        from ..media.open_video import open_video

        reference = ReferenceClip(video=open_video(args.reference))
    return ExpressionRequest(
        emotion=args.emotion or ("neutral" if reference is None and sliders is None else None),
        reference=reference,
        sliders=sliders,
        strength=args.strength,
        regions=regions,
        curve=curve or StrengthCurve(),
    )
