from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thfem_core.errors import InputError
from thfem_core.talking_head.windows import PlannedWindow, WindowConfig, plan_windows


def plan(drawable, **config) -> list[tuple[int, tuple[int, ...]]]:
    return [(window.source, window.targets) for window in plan_windows(drawable, WindowConfig(**config))]


def test_the_papers_choice_predicts_the_frames_after_the_source():
    assert plan(range(12)) == [
        (0, (0,)),
        (0, (1, 2, 3, 4, 5)),
        (5, (6, 7, 8, 9, 10)),
        (10, (11,)),
    ]


def test_the_published_codes_choice_redraws_the_source_too():
    assert plan(range(3, 14), source="first") == [(3, (3, 4, 5, 6, 7)), (8, (8, 9, 10, 11, 12)), (13, (13,))]


def test_a_still_picture_is_the_source_of_all():
    assert plan(range(7), source="opening", size=3) == [(0, (0, 1, 2)), (0, (3, 4, 5)), (0, (6,))]


def test_windows_of_one_frame():
    assert plan(range(4), size=1) == [(0, (0,)), (0, (1,)), (1, (2,)), (2, (3,))]
    assert plan(range(3), size=1, source="first") == [(0, (0,)), (1, (1,)), (2, (2,))]


def test_a_window_longer_than_the_clip():
    assert plan(range(3), size=50) == [(0, (0,)), (0, (1, 2))]
    assert plan([8], size=50) == [(8, (8,))]
    assert plan([], size=50) == []


def test_overlap_is_cross_faded():
    windows = list(plan_windows(range(9), WindowConfig(size=5, overlap=2)))
    assert [(w.source, w.targets) for w in windows] == [(0, (0,)), (0, (1, 2, 3, 4, 5)), (3, (4, 5, 6, 7, 8))]
    assert windows[1].shares == pytest.approx((1, 1, 1, 2 / 3, 1 / 3))
    assert windows[2].shares == pytest.approx((1 / 3, 2 / 3, 1, 1, 1))


def test_the_nearest_earlier_frame_stands_in_for_a_lost_source():
    assert plan([0, 1, 2, 3, 4, 6, 7, 8], size=5) == [(0, (0,)), (0, (1, 2, 3, 4)), (4, (6, 7, 8))]


def test_a_long_absence_begins_anew():
    assert plan([0, 1, 20, 21], size=5) == [(0, (0,)), (0, (1,)), (20, (20,)), (20, (21,))]


def test_the_plan_reads_no_farther_than_it_must():
    read = []

    def drawable():
        for frame in range(10_000):
            read.append(frame)
            yield frame

    windows = plan_windows(drawable(), WindowConfig(size=5, overlap=2))
    for _ in range(4):
        next(windows)
    assert len(read) < 40


configs = st.builds(
    lambda size, source, overlap: WindowConfig(size=size, source=source, overlap=overlap % size),
    st.integers(1, 9),
    st.sampled_from(["previous", "first", "opening"]),
    st.integers(0, 8),
)
drawables = st.lists(st.booleans(), max_size=70).map(lambda seen: [i for i, there in enumerate(seen) if there])


@given(drawables, configs)
def test_every_drawable_frame_is_drawn_and_shares_sum_to_one(drawable, config):
    windows: list[PlannedWindow] = list(plan_windows(drawable, config))
    shares: dict[int, float] = {}
    for window in windows:
        assert len(window.targets) == len(window.shares) >= 1
        assert len(window.targets) <= config.size
        assert list(window.targets) == sorted(set(window.targets))
        for target, share in zip(window.targets, window.shares, strict=True):
            assert 0 < share <= 1
            shares[target] = shares.get(target, 0.0) + share
    assert sorted(shares) == drawable
    assert list(shares.values()) == pytest.approx([1.0] * len(shares))


@given(drawables, configs)
def test_sources_are_drawable_move_on_and_stay_near(drawable, config):
    windows = list(plan_windows(drawable, config))
    for window in windows:
        assert window.source in drawable
        assert window.source <= window.targets[0]
        if config.source != "opening":
            assert window.targets[-1] - window.source <= 2 * config.size
    for before, after in pairwise(windows):
        assert before.targets[0] <= after.targets[0] and before.targets[-1] < after.targets[-1]
        # what the scheduler relies on to let go of frames
        assert after.source == before.source or after.source >= before.targets[0]


@given(drawables, configs)
def test_without_overlap_every_frame_is_drawn_once(drawable, config):
    config = WindowConfig(size=config.size, source=config.source)
    assert [t for window in plan_windows(drawable, config) for t in window.targets] == drawable


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"size": 0}, "give 1 to 100"),
        ({"size": 101}, "give 1 to 100"),
        ({"overlap": 5}, "give 0 to 4"),
        ({"overlap": -1}, "give 0 to 4"),
        ({"source": "next"}, "previous, first"),
    ],
)
def test_wrong_values_are_named_with_what_is_right(values, words):
    with pytest.raises(InputError, match=words):
        WindowConfig(**values)
