"""One file from the Hugging Face hub or from a web address: resumable, checked, complete or not there at all.

The transfer itself is huggingface_hub's, so its settings hold: HF_ENDPOINT (a mirror), HF_HUB_OFFLINE, HF_TOKEN,
proxies, retries. We write the bytes, which is where progress is counted and a cancel takes effect.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from ..errors import WeightsError
from ..media.atomic import output_error
from ..progress import Progress
from .checksum import fault_of, other_kind
from .model import Model, ModelFile

if TYPE_CHECKING:
    from huggingface_hub import HfFileMetadata


class _CountedFile:
    """The writing side of a file that reports each chunk. ``cancelled`` keeps what the callback raised."""

    def __init__(self, stream: BinaryIO, path: Path, report: Callable[[int], None], *, most: int | None) -> None:
        self._stream = stream
        self._path = path
        self._report = report
        self._most = most
        self.cancelled: BaseException | None = None
        self.tell, self.seek, self.truncate = stream.tell, stream.seek, stream.truncate

    def write(self, chunk: bytes) -> int:
        if self._most is not None and self._stream.tell() + len(chunk) > self._most:
            self.cancelled = WeightsError(f"the server sends more than the {self._most} bytes of the file")
            raise self.cancelled
        try:
            count = self._stream.write(chunk)
        except OSError as error:
            raise output_error(error, self._path) from error
        try:
            self._report(self._stream.tell())
        except BaseException as error:
            self.cancelled = error
            raise
        return count


def download_file(model: Model, file: ModelFile, target: Path, *, progress: Progress) -> None:
    """Fetch the published ``file`` of ``model`` to ``target``. Folders are made as needed; where another process
    already fetches it, wait for that. An interrupted download stays in a hidden file and is continued next time.

    Raises WeightsError (no network, offline, not there, or not what the model or the hub says it should be; the
    message gives the reason only) and OutputError (cannot write).
    """
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    name = file.names[0]
    mirror = os.environ.get("HF_ENDPOINT", "").rstrip("/") or None  # read now: the hub's library reads it at import
    url = model.link if model.repo is None else hf_hub_url(model.repo, name, revision=model.revision, endpoint=mirror)
    headers = build_hf_headers(token=None if model.origin == "hub" else False)  # a user's token is for the hub alone
    if mirror is not None and not mirror.startswith(("http://", "https://")):
        raise WeightsError(f"HF_ENDPOINT is {mirror!r}, which is no address; give https://..., or unset it")
    if not all(value.isascii() for value in headers.values()):
        raise WeightsError("HF_TOKEN has characters that no token has; copy it again from the hub's settings")
    stage = f"Downloading {name}"
    try:
        with _quiet_hub():
            metadata = _metadata(url, headers)
            target.parent.mkdir(parents=True, exist_ok=True)
            lock = target.with_name(f".{name}.lock")
            with _alone(lock, waiting=lambda: progress(stage, 0, metadata.size)):
                if not target.is_file():
                    part = _transfer(
                        url, headers, metadata, target, file, lambda done: progress(stage, done, metadata.size)
                    )
                    os.replace(part, target)
        with suppress(OSError):  # whoever still waits for the lock will find the target
            lock.unlink()
    except _network_errors() as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise output_error(error, target) from error
        raise WeightsError(f"cannot download {url} ({_reason(error)})") from error


def _metadata(url: str, headers: dict[str, str]) -> HfFileMetadata:
    """Size and etag of what is to be had at ``url``."""
    from huggingface_hub import get_hf_file_metadata
    from huggingface_hub.utils import http_backoff

    # some versions ask for metadata six times over half a minute before they believe that there is no network
    http_backoff("HEAD", url, max_retries=0, headers=headers, timeout=10)
    return get_hf_file_metadata(url, token=False, headers=headers)


def _transfer(
    url: str,
    headers: dict[str, str],
    metadata: HfFileMetadata,
    target: Path,
    file: ModelFile,
    report: Callable[[int], None],
) -> Path:
    """Bring ``url`` completely into a hidden file beside ``target``, resuming what is there, and check it."""
    from huggingface_hub.file_download import http_get

    etag = metadata.etag or ""
    # a part of another version of the file is never continued
    part = target.with_name(f".{target.name}.{re.sub('[^0-9A-Za-z]', '', etag)[:16]}.part")
    size = file.size or metadata.size
    with _open_part(part, size) as stream:
        done = stream.tell()
        report(done)
        counted = _CountedFile(stream, part, report, most=size)
        try:
            # the address given, not the one redirected to: that way a token stays with the host it belongs to
            http_get(url, cast("BinaryIO", counted), resume_size=done, headers=headers, expected_size=metadata.size)
        except Exception:
            if counted.cancelled is not None:
                raise counted.cancelled from None
            raise
    # the hub's etag of a large file is its sha256
    published = etag if re.fullmatch("[0-9a-f]{64}", etag) else None
    fault = (
        fault_of(part, size=size, sha256=file.sha256)
        or fault_of(part, sha256=published)
        or (None if file.sha256 or published else other_kind(part, name=target.name))
    )
    if fault:
        with suppress(OSError):
            part.unlink()
        raise WeightsError(f"what came from {url} {fault}")
    return part


def _open_part(path: Path, size: int | None) -> BinaryIO:
    """Open what is there of a download for appending; begun anew where it is a link or longer than the whole file."""
    with suppress(FileNotFoundError):
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1 or (size is not None and status.st_size > size):
            path.unlink()
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    stream = os.fdopen(os.open(path, flags, 0o666), "ab")
    stream.seek(0, os.SEEK_END)
    return stream


@contextmanager
def _alone(path: Path, *, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock ``path``. ``waiting`` is called each second until then, and may raise."""
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    while True:
        try:
            lock.acquire(timeout=1)
            break
        except Timeout:
            waiting()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _quiet_hub() -> Iterator[None]:
    """Without the hub's own bars and its notes about each retry: the caller shows progress and one line of error."""
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    logger, bars = logging.getLogger("huggingface_hub"), "huggingface_hub.http_get"
    level, shown = logger.level, not are_progress_bars_disabled(bars)
    logger.setLevel(logging.ERROR)
    if shown:
        disable_progress_bars(bars)
    try:
        yield
    finally:
        logger.setLevel(level)
        if shown:
            enable_progress_bars(bars)


def _network_errors() -> tuple[type[Exception], ...]:
    """What huggingface_hub raises when a transfer fails: OSError, and since version 1 errors of its HTTP library."""
    from huggingface_hub.errors import HfHubHTTPError

    return (OSError, *(base for base in HfHubHTTPError.__mro__ if base.__name__ == "HTTPError"))


def _reason(error: Exception) -> str:
    """Why a transfer failed, in a few words."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, OfflineModeIsEnabled):
        return "offline mode: HF_HUB_OFFLINE is set"
    if status in (401, 403):
        return "it is not public: log in with `hf auth login` and accept its terms on the page"
    if status is not None:
        return "it is not there any more" if status == 404 else f"the server answers with error {status}"
    words = " ".join(str(error).split())
    return words[:160] if words.startswith("Consistency") else "no connection, or it broke off; try again to continue"
