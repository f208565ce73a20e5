from __future__ import annotations

import errno
import gc
import os
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thfem_core.errors import OutputError
from thfem_core.face.models import MeshFit
from thfem_core.face.tracking.landmark_store import REFINED_AT_ONCE, LandmarkStore, SegmentWriter


def row(value: float) -> np.ndarray:
    return np.full((478, 3), value, np.float32)


def fit(value: float, *, rough: bool = False) -> MeshFit:
    return MeshFit(landmarks=row(value + rough), presence=1.0, details="rough" if rough else None)


def refined(fits: Sequence[MeshFit]) -> list[np.ndarray]:
    assert 0 < len(fits) <= REFINED_AT_ONCE and all(each.details == "rough" for each in fits)
    return [each.landmarks - 1 for each in fits]


@settings(max_examples=25, deadline=None)
@given(
    present=st.lists(st.booleans(), min_size=1, max_size=150),
    rough=st.lists(st.booleans(), min_size=150, max_size=150),
    first=st.integers(0, 1000),
    window=st.tuples(st.integers(0, 150), st.integers(0, 150)),
)
def test_any_range_reads_back_what_was_written(present, rough, first, window):
    present[0] = True
    store = LandmarkStore(memory_bytes=1 << 14)
    writer, other = (SegmentWriter(store, first, refine=refined, fades_in=True) for _ in range(2))
    for i, here in enumerate(present):
        if here:
            writer.add(first + i, fit(i, rough=rough[i]))
            other.add(first + i, fit(-i))
    segment = writer.close(fades_out=False)
    other.close(fades_out=False)
    assert (segment.first, segment.stop) == (first, first + max(np.flatnonzero(present)) + 1)
    a, b = sorted(min(w, segment.stop - first) for w in window)
    got = segment.read(first + a, first + b)
    want = np.array([i if present[i] else np.nan for i in range(a, b)], np.float32)
    np.testing.assert_array_equal(got, np.broadcast_to(want[:, None, None], got.shape))


def test_rough_fits_are_refined_in_full_batches_and_leave_gaps_alone():
    batches: list[int] = []

    def refine(fits: Sequence[MeshFit]) -> list[np.ndarray]:
        batches.append(len(fits))
        return refined(fits)

    store = LandmarkStore()
    writer = SegmentWriter(store, 0, refine=refine, fades_in=False)
    present = [*range(37), *range(45, 80)]
    for i in present:
        writer.add(i, fit(i, rough=True))
    segment = writer.close(fades_out=False)
    want = np.full(80, np.nan, np.float32)
    want[present] = present
    np.testing.assert_array_equal(segment.read(0, 80)[:, 0, 0], want)
    assert batches == [16, 16, 16, 8, 16]  # chunks of 32 rows; of the second, 24 are present


def test_threads_read_at_once():
    store = LandmarkStore(memory_bytes=1 << 16)
    store.append(np.stack([row(i) for i in range(300)]))
    with ThreadPoolExecutor(8) as pool:
        starts = np.random.default_rng(0).integers(0, 290, 400).tolist()
        for start, rows in zip(starts, pool.map(lambda s: store.read(s, 10), starts), strict=True):
            np.testing.assert_array_equal(rows[:, 0, 0], np.arange(start, start + 10))


def test_full_disk_is_one_clear_line(monkeypatch):
    class Full:
        def seek(self, _):
            pass

        def write(self, _):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = LandmarkStore()
    monkeypatch.setattr(store, "_file", Full())
    with pytest.raises(OutputError, match=r"^cannot write to the temporary folder [^\n]+TMPDIR$"):
        store.append(row(0)[None])


def test_the_file_goes_with_the_object():
    store = LandmarkStore(memory_bytes=1)
    store.append(row(0)[None])
    file, gone = store._file, weakref.ref(store)
    handle = file.fileno()
    del store, file
    gc.collect()
    assert gone() is None
    with pytest.raises(OSError):
        os.fstat(handle)
