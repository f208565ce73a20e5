"""Progress and cancellation: one callback, passed in, never global."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called at least once per frame of long work.

    ``stage`` is a short human name ("Finding faces"), ``done`` counts finished frames and ``total`` is the
    expected number, or None where the container does not say. To cancel, raise from the callback: every
    generator of this package releases its files and temporary outputs in ``finally`` blocks.
    """

    def __call__(self, stage: str, done: int, total: int | None) -> None: ...


def silent(stage: str, done: int, total: int | None) -> None:
    """The default :class:`Progress`: reports nothing, never cancels."""
