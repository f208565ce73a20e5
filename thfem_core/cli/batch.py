"""``batch FOLDER -o FOLDER``: edit all clips of a folder."""

from __future__ import annotations

import argparse
import sys

from ..errors import ThfemError
from ..expression.editor import editors
from ..talking_head.head import talking_heads
from .arguments import Commands, path_argument
from .back_end_arguments import add_option_arguments
from .bars import progress_bars
from .edit import add_edit_arguments, add_encoding_arguments, check_edit, edit_config, encoded
from .libraries import load_libraries


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "batch",
        help="edit all clips of a folder",
        description="Edit every clip of a folder into another folder, with a table of what happened (report.csv). A "
        "clip that fails does not stop the others. Folders inside the folder are not looked into.",
    )
    parser.add_argument("input", type=path_argument, metavar="FOLDER", help="a folder of video files")
    parser.add_argument(
        "-o", "--output", type=path_argument, required=True, metavar="FOLDER", help="where the results go"
    )
    parser.add_argument("--skip-existing", action="store_true", help="leave clips whose result is there already")
    add_edit_arguments(parser)
    add_encoding_arguments(parser)
    add_option_arguments(parser, editors, talking_heads, leave_out=["emotion"])
    return parser


def run(args: argparse.Namespace) -> None:
    options = check_edit(args)

    load_libraries()
    from ..device import resolve_device
    from ..pipeline.batch import REPORT, BatchItem, edit_folder

    def tell(item: BatchItem) -> None:
        for warning in item.report.warnings if item.report is not None else ():
            print(f"thfem: warning: {item.clip.name}: {warning}", file=sys.stderr)
        if item.error:
            print(f"thfem: {item.line}", file=sys.stderr)
        elif not args.quiet:
            print(item.line)

    config = encoded(edit_config(args, options), args)
    with progress_bars(quiet=args.quiet) as progress:
        items = edit_folder(
            args.input,
            args.output,
            config,
            device=resolve_device(args.device),
            skip_existing=args.skip_existing,
            progress=progress,
            tell=tell,
        )
    failed = sum(bool(item.error) for item in items)
    if failed:
        raise ThfemError(f"{failed} of {len(items)} clips failed; {args.output / REPORT} says why")
    if not args.quiet:
        print(f"{args.output / REPORT}: {len(items)} clips")
