"""Raw landmarks of a whole clip, on disk beyond 1 MB, so that memory does not grow with the clip's length."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from ...errors import OutputError
from ..models import MeshFit

Refine = Callable[[Sequence[MeshFit]], list[np.ndarray]]  # :meth:`..models.FaceModels.refined`

_ROW = (478, 3)
_ROW_BYTES = 478 * 3 * 4
CHUNK = 32  # frames per write; a segment's index holds one number per chunk
REFINED_AT_ONCE = 16  # fits; each holds 0.3 MB until then


class LandmarkStore:
    """An append-only table of (478, 3) float32 rows with random access, safe to read from several threads.

    The temporary file has no name and goes with the object.
    """

    def __init__(self, *, memory_bytes: int = 1 << 20) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=memory_bytes)  # noqa: SIM115 - closed with the object
        self._lock = Lock()
        self._rows = 0

    def append(self, rows: np.ndarray) -> int:
        """Add rows (n, 478, 3) and return the number of the first. Raises OutputError where the disk is full."""
        with self._lock:
            first = self._rows
            try:
                self._file.seek(first * _ROW_BYTES)
                self._file.write(np.ascontiguousarray(rows, np.float32).tobytes())
            except OSError as error:
                raise OutputError(
                    f"cannot write to the temporary folder ({error.strerror or error}); free space there or set TMPDIR"
                ) from None
            self._rows += len(rows)
        return first

    def read(self, first: int, count: int) -> np.ndarray:
        """Read rows [first, first + count): (count, 478, 3) float32, a new array."""
        with self._lock:
            self._file.seek(first * _ROW_BYTES)
            data = self._file.read(count * _ROW_BYTES)
        return np.frombuffer(data, np.float32).reshape(count, *_ROW)


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One unbroken appearance of a person.

    store: Where its landmarks are.
    first: First frame; the person is present in it.
    stop: One past the last frame, in which the person is present too.
    chunks: Row of the store at which each run of CHUNK frames begins.
    fades_in: Whether the person came inside the shot, not at a cut or the clip's beginning.
    fades_out: Whether the person went inside the shot.
    """

    store: LandmarkStore
    first: int
    stop: int
    chunks: tuple[int, ...]
    fades_in: bool
    fades_out: bool

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read frames [start, stop) of the segment: (stop - start, 478, 3) as fitted, NaN in short gaps."""
        parts = []
        position, end = start - self.first, stop - self.first
        while position < end:
            chunk, offset = divmod(position, CHUNK)
            count = min(CHUNK - offset, end - position)
            parts.append(self.store.read(self.chunks[chunk] + offset, count))
            position += count
        return np.concatenate(parts) if parts else np.empty((0, *_ROW), np.float32)


class SegmentWriter:
    """Collects the fits of one appearance while a clip is being tracked."""

    def __init__(self, store: LandmarkStore, first: int, *, refine: Refine, fades_in: bool) -> None:
        self._store, self._refine = store, refine
        self._rough: dict[int, MeshFit] = {}  # row of the buffer → what is to be refined into it
        self._first = first
        self._fades_in = fades_in
        self._chunks: list[int] = []
        self._buffer = np.empty((CHUNK, *_ROW), np.float32)
        self._filled = 0
        self.stop = first  # one past the last frame that is present

    def add(self, frame: int, fit: MeshFit) -> None:
        """Add the fit of a frame after the last one; frames left out are a gap."""
        while self.stop < frame:
            self._buffer[self._filled] = np.nan
            self._advance()
        if fit.details is None:
            self._buffer[self._filled] = fit.landmarks
        else:
            self._rough[self._filled] = fit
        self._advance()

    def _advance(self) -> None:
        """Go on to the next row of the buffer."""
        self._filled += 1
        self.stop += 1
        if len(self._rough) == REFINED_AT_ONCE:
            self._refine_all()
        if self._filled == CHUNK:
            self._flush()

    def _refine_all(self) -> None:
        for row, landmarks in zip(self._rough, self._refine(list(self._rough.values())), strict=True):
            self._buffer[row] = landmarks
        self._rough.clear()

    def _flush(self) -> None:
        if self._rough:
            self._refine_all()
        if self._filled:
            self._chunks.append(self._store.append(self._buffer[: self._filled]))
            self._filled = 0

    def close(self, *, fades_out: bool) -> Segment:
        """End the appearance after its last present frame."""
        self._flush()
        return Segment(
            store=self._store,
            first=self._first,
            stop=self.stop,
            chunks=tuple(self._chunks),
            fades_in=self._fades_in,
            fades_out=fades_out,
        )
