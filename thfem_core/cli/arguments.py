"""Arguments that several subcommands share, and their parsing."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from ..errors import InputError
from ..expression.request import MAX_STRENGTH

if TYPE_CHECKING:
    from ..face.tracking.track import FaceChoice
    from ..pipeline import Occlusion
    from ..talking_head.windows import WindowConfig

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

FACE_ORDERS = ("left-right", "size")
NO_TALKING_HEAD = "none"
OCCLUSION_WORDS = ("auto", "off")


def path_argument(text: str) -> Path:
    """A path, as argparse ``type``; an empty one, as of an unset variable, is none."""
    if not text:
        raise argparse.ArgumentTypeError("the name is empty; give a path")
    if "\0" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no path")
    if re.match(r"[a-z]+://", text):
        raise argparse.ArgumentTypeError(f"{text} is an address; download the file and give its path")
    return Path(text)


def refuse_overwriting(output: Path, *inputs: Path | None, overwrite_input: bool | None = None) -> None:
    """Keep a command from replacing what it reads.

    Args:
        output: What the command writes.
        inputs: What it reads; None for what was not given.
        overwrite_input: Whether the user allows it; None where that cannot be allowed.

    Raises:
        InputError: The output is one of the inputs.
    """
    for source in inputs if not overwrite_input else ():
        try:
            same = source is not None and os.path.samefile(source, output)
        except (OSError, ValueError):  # one of them is not there
            same = False
        if same:
            allow = "" if overwrite_input is None else " or add --overwrite-input"
            raise InputError(f"the output would replace the input {source}; choose another name{allow}")


def face_choice(text: str) -> FaceChoice:
    """Read ``largest``, ``all`` or a number from 0, as argparse ``type``."""
    if text == "largest":
        return "largest"
    if text == "all":
        return "all"
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a face; choose largest, all or a number from 0")


def add_face_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--face",
        type=face_choice,
        default="largest",
        metavar="largest|all|INDEX",
        help="whom to edit; `faces` shows the numbers (default: largest)",
    )
    parser.add_argument(
        "--face-order", choices=FACE_ORDERS, default="left-right", help="how faces are numbered (default: left-right)"
    )


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device", default="auto", metavar="auto|cpu|cuda|mps", help="where networks run (default: auto)"
    )


def occlusion_argument(text: str) -> str | Path:
    """Read ``auto``, ``off`` or the path of a mask, as argparse ``type``."""
    if text in OCCLUSION_WORDS:
        return text
    path = path_argument(text)
    if not path.suffix and not path.exists():
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither {' nor '.join(OCCLUSION_WORDS)} nor a mask that is there"
        )
    return path


def add_occlusion_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--occlusion",
        type=occlusion_argument,
        default="auto",
        metavar="auto|off|MASK",
        help="what is in front of the face and stays there: hands, microphones, captions as a network sees them "
        "(auto), nothing (off), or what is white in a video or picture of your own (default: auto)",
    )


def read_occlusion(value: str | Path) -> Occlusion:
    """Open the mask that ``--occlusion`` names, if it names one.

    Raises:
        InputError: It is no video or picture.
    """
    from ..media.open_video import open_video

    return open_video(value) if isinstance(value, Path) else cast("Occlusion", value)


def add_strength_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strength", type=float, default=1.0, help=f"0 (no change) to {MAX_STRENGTH} (caricature) (default: 1)"
    )


def add_window_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--window", type=int, metavar="N", help="frames the talking head draws from one source frame (default: 5)"
    )
    parser.add_argument(
        "--overlap", type=int, metavar="M", help="frames that neighbouring windows cross-fade, less than N (default: 0)"
    )


def window_config(args: argparse.Namespace) -> WindowConfig:
    """Read the flags of :func:`add_window_arguments`, and ``--window-source`` where a command has it.

    Raises:
        InputError: A value is out of range.
    """
    from ..talking_head.windows import WindowConfig

    said = {"size": args.window, "overlap": args.overlap, "source": getattr(args, "window_source", None)}
    return WindowConfig(**{name: value for name, value in said.items() if value is not None})
