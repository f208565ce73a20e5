"""Signals that stop a command, from its first import to its last clean-up. Imports nothing heavy."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# name: (what the message says, exit code of the shell's convention 128 + number)
_WORDS = {"SIGINT": "cancelled", "SIGTERM": "terminated", "SIGHUP": "the terminal was closed"}


class Stopped(BaseException):
    """A signal asks the command to stop; raised like KeyboardInterrupt so that every ``finally`` runs."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.exit_code = 128 + signum
        self.message = f"{_WORDS[signal.Signals(signum).name]}; no unfinished output is left"


def _stop(signum: int, frame: FrameType | None) -> None:
    # a second signal must not break off the clean-up that the first one has begun
    for each in _signals():
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(signum)


def _signals() -> list[int]:
    return [int(getattr(signal, name)) for name in _WORDS if hasattr(signal, name)]


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise :class:`Stopped` for SIGINT, SIGTERM and SIGHUP while the block runs.

    A signal that is ignored already, as SIGHUP under nohup, stays ignored. Only the main thread may set handlers; in
    others, and inside a block of this kind, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in _signals()}
    if _stop in before.values():
        yield
        return
    for each, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(each, _stop)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
