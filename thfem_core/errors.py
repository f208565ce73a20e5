"""Faults that a user can mend. ``str(error)`` is always one line that says what to do."""

from __future__ import annotations


class ThfemError(Exception):
    """Base of every user-facing fault of this package.

    ``exit_code`` is what the command line returns for it.
    """

    exit_code = 1


class InputError(ThfemError):
    """An input file or value cannot be used (missing, not a video, truncated, out of range)."""

    exit_code = 2


class OutputError(ThfemError):
    """The output cannot be written (folder missing, no permission, disk full)."""

    exit_code = 3


class WeightsError(ThfemError):
    """A model file is missing or not what was expected; names file, folder, URL and licence."""

    exit_code = 4
