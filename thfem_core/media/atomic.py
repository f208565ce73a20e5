"""Output files that exist only when they are complete."""

from __future__ import annotations

import errno
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import OutputError

# Temporary files carry this mark, so that a later run knows what a killed one left behind.
_MARK = "thfem-"
_STALE = re.compile(rf"\..*\.{_MARK}[0-9a-f]{{8}}(\.\w+)?")
_OLD = 3600.0  # seconds; a run writes to its file all the time

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another folder",
    errno.EFBIG: "the file grew past the largest size allowed here; shorten the clip or choose another folder",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.EACCES: "you may not write there; choose another folder or change its permissions",
    errno.EPERM: "you may not write there; choose another folder or change its permissions",
    errno.ENAMETOOLONG: "the file name is too long; choose a shorter one",
    errno.EIO: "the disk reports an error; choose another disk",
}


def output_error(error: OSError, path: Path) -> OutputError:
    """One line for a failed write."""
    reason = _REASONS.get(error.errno or 0) or f"{error.strerror or error}; choose another folder"
    return OutputError(f"cannot write {path}: {reason}")


def check_output(path: str | os.PathLike[str]) -> Path:
    """The path, if a file can be written there. Raises OutputError (no such folder, not writable, is a folder)."""
    path = Path(path)
    if "\0" in os.fspath(path):
        raise OutputError(f"cannot write {str(path)!r}: that is no file name; choose another")
    try:
        is_folder, has_parent = path.is_dir(), path.parent.is_dir()
        with suppress(FileNotFoundError, NotADirectoryError):
            path.stat()
    except OSError as error:  # such as a name that is too long
        raise output_error(error, path) from error
    if is_folder:
        raise OutputError(f"cannot write {path}: it is a folder; add a file name")
    if not has_parent:
        raise OutputError(f"cannot write {path}: there is no folder {path.parent}; create it first")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"cannot write {path}: the folder {path.parent} is not writable; choose another folder")
    return path


@contextmanager
def complete_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside ``path`` (same suffix); move it into place only if the block succeeds.

    On any exception, cancellation included, the temporary file is removed and ``path`` is left as it was.
    A plain OSError of the block becomes an OutputError in one line.
    """
    path = check_output(path)
    _remove_stale(path.parent)
    temporary = path.with_name(f".{path.stem[:100]}.{_MARK}{secrets.token_hex(4)}{path.suffix}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise output_error(error, path) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _remove_stale(folder: Path) -> None:
    """Remove what killed runs of this program left in a folder; what is younger may still be written to."""
    with suppress(OSError):
        for entry in os.scandir(folder):
            if _STALE.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    if time.time() - entry.stat(follow_symlinks=False).st_mtime > _OLD:
                        os.unlink(entry.path)
