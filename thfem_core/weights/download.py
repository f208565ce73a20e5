"""One file from the Hugging Face hub or from a web address: resumable, checked, complete or not there at all.

The transfer itself is huggingface_hub's, so its settings hold: HF_ENDPOINT (a mirror), HF_HUB_OFFLINE, HF_TOKEN,
proxies, retries. We write the bytes, which is where progress is counted and a cancel takes effect.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import WeightsError
from ..media.atomic import output_error
from ..progress import Progress
from .checksum import fault_of
from .manifest import Model, ModelFile

UNFINISHED_FOLDER = ".unfinished"  # inside the target's folder: parts to resume from, and locks


class _CountedFile:
    """The writing side of a file that reports each chunk. ``cancelled`` keeps what the callback raised."""

    def __init__(self, stream: BinaryIO, path: Path, report: Callable[[int], None]) -> None:
        self._stream = stream
        self._path = path
        self._report = report
        self.cancelled: BaseException | None = None
        self.tell, self.seek, self.truncate = stream.tell, stream.seek, stream.truncate

    def write(self, chunk: bytes) -> int:
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
    already fetches it, wait for that. An interrupted download stays in a hidden folder and is continued next time.

    Raises WeightsError (no network, offline, not there, or not what the manifest or the hub says it should be; the
    message gives the reason only) and OutputError (cannot write).
    """
    from filelock import FileLock
    from huggingface_hub import hf_hub_url

    name = file.names[0]
    mirror = os.environ.get("HF_ENDPOINT", "").rstrip("/") or None  # read now: the hub's library reads it at import
    url = (
        model.link if model.origin == "web" else hf_hub_url(model.repo, name, revision=model.revision, endpoint=mirror)
    )
    unfinished = target.parent / UNFINISHED_FOLDER
    try:
        unfinished.mkdir(parents=True, exist_ok=True)
        with FileLock(unfinished / f"{name}.lock"):
            if not target.is_file():
                part = _transfer(url, unfinished / name, file, progress)
                os.replace(part, target)
    except _network_errors() as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise output_error(error, target) from error
        raise WeightsError(f"cannot download {url} ({_reason(error)})") from error


def _transfer(url: str, stem: Path, file: ModelFile, progress: Progress) -> Path:
    """Bring ``url`` completely into a file beside ``stem``, resuming what is there, and check it."""
    from huggingface_hub import get_hf_file_metadata
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers, http_backoff

    with _quiet_hub():
        # some versions ask for metadata six times over half a minute before they believe that there is no network
        http_backoff("HEAD", url, max_retries=0, headers=build_hf_headers(), timeout=10)
        metadata = get_hf_file_metadata(url)
        etag = metadata.etag or ""
        # a part of another version of the file is never continued
        part = stem.with_name(f"{stem.name}.{re.sub('[^0-9A-Za-z]', '', etag)[:16]}.part")
        stage = f"Downloading {file.names[0]}"
        with part.open("ab") as stream:
            done = stream.tell()
            progress(stage, done, metadata.size)
            counted = _CountedFile(stream, part, lambda count: progress(stage, count, metadata.size))
            try:
                # the address given, not the one redirected to: that way a token stays with the host it belongs to
                http_get(url, counted, resume_size=done, headers=build_hf_headers(), expected_size=metadata.size)
            except Exception:
                if counted.cancelled is not None:
                    raise counted.cancelled from None
                raise
    # the hub's etag of a large file is its sha256
    published = etag if re.fullmatch("[0-9a-f]{64}", etag) else None
    fault = fault_of(part, size=file.size or metadata.size, sha256=file.sha256) or fault_of(part, sha256=published)
    if fault:
        with suppress(OSError):
            part.unlink()
        raise WeightsError(f"what came from {url} {fault}")
    return part


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
