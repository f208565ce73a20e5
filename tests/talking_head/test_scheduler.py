from __future__ import annotations

import gc
import weakref
from collections.abc import Generator

import numpy as np
import pytest
from fake_talking_head import LEFT, SIZE, FakeSession, WeightTrack, frames_of
from hypothesis import given, settings
from hypothesis import strategies as st

from thfem_core.media.frame import Box, Frame
from thfem_core.media.prefetch import prefetch
from thfem_core.talking_head.report import LipReport
from thfem_core.talking_head.scheduler import DrawnFace, draw_faces
from thfem_core.talking_head.windows import WindowConfig


def stream(frames: list[Frame]) -> Generator[Frame, None, None]:
    yield from frames


def draw(count: int, *sessions: FakeSession, frames=None, **options) -> list[np.ndarray]:
    faces = [DrawnFace(track=session.track, session=session) for session in sessions]
    return [frame.rgb() for frame in draw_faces(frames or stream(frames_of(count)), faces, **options)]


def centre(picture: np.ndarray) -> tuple[int, ...]:
    return tuple(int(v) for v in picture[5, 5])


def test_each_frame_is_drawn_from_the_edited_source_of_its_window():
    session = FakeSession(WeightTrack([1] * 8))
    report = LipReport(drive="audio")
    drawn = draw(8, session, report=report)
    # source number, brightness of the source (100 + number: never that of a drawn frame), target
    assert [centre(picture) for picture in drawn] == [
        (0, 100, 0),
        *((0, 100, t) for t in range(1, 6)),
        *((5, 105, t) for t in range(6, 8)),
    ]
    assert session.observed == list(range(8)) and report.drawn_frames == 8 and not report.left
    assert all(picture[0, 0, 0] == 100 + i for i, picture in enumerate(drawn)), "outside the patch nothing changes"


def test_frames_without_a_face_are_the_very_same():
    frames = frames_of(9)
    session = FakeSession(WeightTrack([0, 1, 1, 0], first_frame=3))
    faces = [DrawnFace(track=session.track, session=session)]
    drawn = list(draw_faces(stream(frames), faces))
    assert [after is before for before, after in zip(frames, drawn, strict=True)] == [
        True, True, True, True, False, False, True, True, True,
    ]  # fmt: skip
    assert [frame.index for frame in drawn] == list(range(9))


def test_nothing_to_draw_passes_through():
    frames = frames_of(3)
    assert list(draw_faces(stream(frames), [])) == frames
    assert list(draw_faces(stream([]), [])) == []


def test_a_patch_may_reach_beyond_the_frame_or_be_left_out():
    def only_even(source, target):
        return (9, 9, 9) if target.index % 2 == 0 else None

    session = FakeSession(WeightTrack([1] * 4), box=Box(-4, 8, 4, 40), paint=only_even)
    report = LipReport(drive="audio")
    drawn = draw(4, session, report=report)
    assert [picture[11, 0, 0] for picture in drawn] == [9, 101, 9, 103]
    assert drawn[0].shape == (SIZE, SIZE, 3) and drawn[0][7, 0, 0] == 100 and drawn[0][11, 4, 0] == 100
    assert report.drawn_frames == 2 and report.left == {LEFT: 2}
    outside = FakeSession(WeightTrack([1]), box=Box(50, 50, 60, 60))
    np.testing.assert_array_equal(draw(1, outside)[0], frames_of(1)[0].rgb())


def test_the_weight_of_the_track_is_the_strength_of_the_drawing():
    session = FakeSession(WeightTrack([0.25, 1]), alpha=0.8, paint=lambda s, t: (255, 255, 255))
    drawn = draw(2, session)
    assert centre(drawn[0])[0] == round(100 + 0.2 * 155)
    assert centre(drawn[1])[0] == round(101 + 0.8 * 154)


def test_overlapping_windows_fade_into_each_other():
    session = FakeSession(WeightTrack([1] * 9), paint=lambda s, t: (20 * s.index, 0, 0))
    drawn = draw(9, session, window=WindowConfig(size=5, overlap=2))
    assert [centre(picture)[0] for picture in drawn] == [0, 0, 0, 0, 20, 40, 60, 60, 60]


def test_people_are_drawn_each_in_their_own_windows():
    left = FakeSession(WeightTrack([1] * 6), box=Box(0, 0, 6, 12))
    right = FakeSession(WeightTrack([1] * 5, first_frame=4, track_id=1), box=Box(6, 0, 12, 12), lookahead=3)
    drawn = draw(10, left, right)
    assert [tuple(picture[5, 2]) for picture in drawn[:6]] == [(0, 100, t) for t in range(6)]
    assert [tuple(picture[5, 8]) for picture in drawn[4:9]] == [(4, 104, t) for t in range(4, 9)]
    assert tuple(drawn[9][5, 2]) == tuple(drawn[9][5, 8]) == (109, 109, 109)


def test_a_clip_that_ends_before_its_track_is_drawn_to_its_end():
    session = FakeSession(WeightTrack([1] * 30))
    session._draw = lambda source, target, draw=session._draw: _ending(session, source, target)
    drawn = draw(8, session)
    assert [centre(picture)[2] for picture in drawn] == list(range(8))


def _ending(session, source, target):
    session.observed.append(29)  # the promise about frames ahead cannot be kept here
    patch = FakeSession._draw(session, source, target)
    session.observed.pop()
    return patch


scenes = st.lists(
    st.tuples(st.integers(0, 12), st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=40)),
    max_size=3,
)
configs = st.builds(
    lambda size, source, overlap: WindowConfig(size=size, source=source, overlap=overlap % size),
    st.integers(1, 7),
    st.sampled_from(["previous", "first", "opening"]),
    st.integers(0, 6),
)


def sessions_of(scene, lookahead: int = 0, **options) -> list[FakeSession]:
    return [
        FakeSession(WeightTrack(weights, first), lookahead=lookahead, box=Box(3 * i, 0, 3 * i + 6, SIZE), **options)
        for i, (first, weights) in enumerate(scene)
    ]


@settings(deadline=None, max_examples=60)
@given(scenes, configs, st.integers(0, 6), st.integers(2, 5))
def test_batches_and_lookahead_do_not_change_the_result(scene, config, lookahead, batch):
    count = 55
    plain = draw(count, *sessions_of(scene), window=config)
    sessions = sessions_of(scene, lookahead)
    batched = draw(count, *sessions, window=config, batch=batch)
    np.testing.assert_array_equal(plain, batched)
    assert all(calls <= batch for session in sessions for calls in session.calls)


@settings(deadline=None, max_examples=60)
@given(scenes, configs)
def test_overlap_does_not_change_what_does_not_depend_on_the_source(scene, config):
    def paint(source, target):
        return None if target.index % 7 == 3 else (3 * target.index, 200, 5)

    options = {"alpha": 0.7, "paint": paint}
    overlapped = draw(55, *sessions_of(scene, **options), window=config)
    plain = draw(55, *sessions_of(scene, **options), window=WindowConfig(size=config.size, source=config.source))
    np.testing.assert_array_equal(overlapped, plain)


@pytest.mark.parametrize("depth", [1, 3, 50])
def test_frames_that_come_in_bursts_give_the_same(depth):
    scene = [(0, [1.0] * 23), (7, [0.5] * 9)]
    config = WindowConfig(overlap=2)
    whole = draw(30, *sessions_of(scene), window=config, batch=2)
    bursts = draw(30, *sessions_of(scene), frames=prefetch(stream(frames_of(30)), depth=depth), window=config, batch=2)
    np.testing.assert_array_equal(whole, bursts)


def test_frames_are_drawn_in_full_batches_where_possible():
    session = FakeSession(WeightTrack([1] * 40), lookahead=2)
    draw(40, session, batch=3)
    assert session.calls == [3, 3, 3]


@pytest.mark.parametrize("config", [WindowConfig(), WindowConfig(overlap=3), WindowConfig(source="opening")])
@pytest.mark.parametrize("gap", [0, 200])
def test_memory_does_not_grow_with_the_clip(config, gap):
    """``gap``: frames without a face between two stretches, while a batch waits for more windows."""
    alive: list[weakref.ref] = []
    most = 0

    class Held:
        """A frame that can be counted."""

        def __init__(self, frame):
            self.frame, self.index, self.width, self.height = frame, frame.index, frame.width, frame.height

        def rgb(self, box=None):
            return self.frame.rgb(box)

        def paste(self, box, rgb, alpha):
            return self

    def frames():
        for frame in frames_of(320):
            held = Held(frame)
            alive.append(weakref.ref(held))
            yield held
            del held

    track = WeightTrack([1] * 17 + [0] * gap + [1] * (320 - 17 - gap))
    session = FakeSession(track, lookahead=4, paint=lambda s, t: (1, 2, 3))
    for _ in draw_faces(frames(), [DrawnFace(track=track, session=session)], window=config, batch=2):
        session.windows.clear()
        gc.collect(0)
        most = max(most, sum(1 for ref in alive if ref() is not None))
    assert most <= 2 * 2 * 5 + 4 + 5 + 2


@pytest.mark.parametrize("taken", [0, 1, 9])
def test_closing_closes_the_frames(taken):
    closed = []

    def frames():
        try:
            yield from frames_of(50)
        finally:
            closed.append(True)

    source = frames()
    next(source)
    session = FakeSession(WeightTrack([1] * 49, first_frame=1))
    drawn = draw_faces(source, [DrawnFace(track=session.track, session=session)])
    for _ in range(taken):
        next(drawn)
    drawn.close()
    assert closed == [True] if taken else closed == []
    source.close()


def test_a_failing_back_end_closes_the_frames():
    closed = []

    def frames():
        try:
            yield from frames_of(50)
        finally:
            closed.append(True)

    def fail(source, target):
        raise RuntimeError("cannot draw")

    session = FakeSession(WeightTrack([1] * 50), paint=fail)
    with pytest.raises(RuntimeError, match="cannot draw"):
        draw(50, session, frames=frames())
    assert closed == [True]


def test_a_batch_of_none_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        draw(3, FakeSession(WeightTrack([1] * 3)), batch=0)
