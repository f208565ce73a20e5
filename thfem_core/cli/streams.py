"""Standard output and error that never surprise a command."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from ..errors import OutputError


def repair_streams() -> None:
    """Give closed standard streams a place to go, and let every character be written in any encoding."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:  # closed by the caller: the next file opened would take its place
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def finish_output() -> None:
    """Write what standard output still holds.

    Raises:
        OutputError: its disk is full, or nobody reads it any more.
    """
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        drop_output()
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"the output cannot be printed ({reason}); give it another place") from error


def drop_output() -> None:
    """Let Python's own flush at its end succeed."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(message: str) -> None:
    """One line on standard error, as far as there is one."""
    with suppress(OSError, ValueError):
        print(f"thfem: {' '.join(message.split())}", file=sys.stderr, flush=True)
