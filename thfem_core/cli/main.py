"""Parsing, signals, exit codes and one-line errors of ``python -m thfem_core``.

Exit codes: 0 done · 1–4 see :mod:`..errors` · 2 also for a mistyped command · 70 a fault of this program ·
130 Ctrl-C · 143 SIGTERM.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from .. import __version__
from ..errors import ThfemError
from . import demo, edit, faces, metrics, models, talk


class _OneLineParser(argparse.ArgumentParser):
    """argparse prints the whole usage on a typo; one line is enough to mend it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


class _Terminated(BaseException):
    """SIGTERM, raised like KeyboardInterrupt so that every ``finally`` runs."""


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:
    raise _Terminated


@contextmanager
def _terminating() -> Iterator[None]:
    """Turn SIGTERM into an exception while the block runs (only the main thread may set handlers)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all subcommands. Imports no network, so ``--help`` is instant."""
    parser = _OneLineParser(
        prog="python -m thfem_core",
        description="Edit the facial expression of a talking person; speech and lips are kept.",
    )
    parser.add_argument("--version", action="version", version=f"thfem {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_OneLineParser)
    for module in (edit, talk, faces, metrics, demo, models):
        command = module.add_parser(commands)
        command.add_argument("--quiet", action="store_true", help="no progress bars and no summary")
        command.add_argument("--traceback", action="store_true", help="show where a fault comes from")
        command.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Messages about faults go to stderr, one line each."""
    args = build_parser().parse_args(argv)

    def fail(message: str, code: int) -> int:
        print(f"thfem: {' '.join(message.split())}", file=sys.stderr)
        return code

    try:
        with _terminating():
            args.run(args)
    except KeyboardInterrupt:
        return fail("cancelled; nothing was written", 130)
    except _Terminated:
        return fail("terminated; nothing was written", 143)
    except ThfemError as error:
        if args.traceback:
            raise
        return fail(str(error), error.exit_code)
    except Exception as error:
        if args.traceback:
            raise
        fault = f"{type(error).__name__}: {error}"
        return fail(f"unexpected fault: {fault} (add --traceback for details, and please report it)", 70)
    return 0
