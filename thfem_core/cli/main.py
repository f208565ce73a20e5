"""Parsing, signals, exit codes and one-line errors of ``python -m thfem_core``.

Exit codes: 0 done · 1–4 see :mod:`..errors` · 2 also for a mistyped command · 70 a fault of this program ·
129 SIGHUP · 130 Ctrl-C · 143 SIGTERM.
"""

from __future__ import annotations

import argparse
import errno
import getpass
import os
from collections.abc import Sequence
from typing import NoReturn

from .. import __version__
from ..errors import ThfemError
from . import batch, demo, edit, faces, metrics, models, preview, talk
from .signals import Stopped, stoppable
from .streams import complain, drop_output, finish_output, repair_streams


class _OneLineParser(argparse.ArgumentParser):
    """argparse prints the whole usage on a typo; one line is enough to mend it."""

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def, override]  # argparse's own
        """Refuse flags that are not known here, so that a subcommand points to its own help and not to the root's."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all subcommands. Imports no network, so ``--help`` is instant."""
    parser = _OneLineParser(
        prog="python -m thfem_core",
        description="Edit the facial expression of a talking person; speech and lips are kept.",
    )
    parser.add_argument("--version", action="version", version=f"thfem {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_OneLineParser)
    for module in (edit, batch, preview, talk, faces, metrics, demo, models):
        command = module.add_parser(commands)
        command.add_argument("--quiet", action="store_true", help="no progress bars and no summary")
        command.add_argument("--traceback", action="store_true", help="show where a fault comes from")
        command.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments; None for those of the process.

    Returns:
        The exit code. Messages about faults go to stderr, one line each.
    """
    repair_streams()
    _name_unknown_user()
    args = build_parser().parse_args(argv)
    try:
        with stoppable():
            args.run(args)
            finish_output()
    except Stopped as stopped:
        return _fail(stopped.message, stopped.exit_code)
    except KeyboardInterrupt:
        return _fail("cancelled; no unfinished output is left", 130)
    except Exception as error:
        if args.traceback:
            raise
        return _fail(*_explained(error))
    return 0


def _name_unknown_user() -> None:
    """PyTorch names folders after the user, who has no name in a container that runs as any number."""
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["USER"] = f"uid-{os.getuid()}"


def _fail(message: str, code: int) -> int:
    complain(message)
    return code


def _explained(error: Exception) -> tuple[str, int]:
    """What to say about an error, and the exit code."""
    if isinstance(error, ThfemError):
        return str(error), error.exit_code
    text = str(error)
    if isinstance(error, BrokenPipeError):
        drop_output()
        return "nobody reads the output any more", 3
    if isinstance(error, MemoryError) or "allocate memory" in text or "out of memory" in text.lower():
        return "there is too little memory for this; close other programs, or give a shorter or smaller clip", 1
    if isinstance(error, RuntimeError) and "start new thread" in text:
        return "the system allows no more threads; close other programs, or raise the limit (ulimit -u)", 1
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return "the system allows no more open files; close other programs, or raise the limit (ulimit -n)", 1
    if isinstance(error, OSError) and error.filename is None and error.errno == errno.ENOSPC:
        drop_output()
        return "the output cannot be printed: its disk is full", 3
    if isinstance(error, FileNotFoundError) and "temporary directory" in text:
        return "there is no folder for temporary files; set TMPDIR to one that can be written", 3
    fault = f"{type(error).__name__}: {text}"
    return f"unexpected fault: {fault} (add --traceback for details, and please report it)", 70
