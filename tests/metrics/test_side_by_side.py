"""Two clips in one: each pixel comes from the clip it should, lazily."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from thfem_core.errors import InputError
from thfem_core.media.array_video import ArrayVideo
from thfem_core.metrics.side_by_side import WIPE_PERIOD, SideBySideVideo


def grey(level: int, *, count: int = 5, size: tuple[int, int] = (8, 12), rate: int = 25) -> ArrayVideo:
    return ArrayVideo(np.full((count, *size, 3), level, np.uint8), Fraction(rate), f"g{level}")


def test_side_by_side_and_top_and_bottom() -> None:
    wide = SideBySideVideo(grey(10), grey(200))
    pictures = [frame.rgb() for frame in wide.frames()]
    assert len(pictures) == 5 and (wide.info.width, wide.info.height) == (24, 8)
    assert (pictures[0][:, :12] == 10).all() and (pictures[0][:, 12:] == 200).all()
    tall = SideBySideVideo(grey(10), grey(200), layout="top and bottom")
    picture = next(iter(tall.frames())).rgb()
    assert picture.shape == (tall.info.height, tall.info.width, 3)
    assert (picture[:8] == 10).all() and (picture[8:] == 200).all()


def test_the_wipe_shows_each_clip_whole_once_a_period() -> None:
    both = SideBySideVideo(grey(10, count=101, size=(8, 64)), grey(200, count=101, size=(8, 64)), layout="wipe")
    second = [float((frame.rgb() == 200).all(axis=2).mean()) for frame in both.frames()]
    assert second[0] > 0.9 and second[-1] > 0.9 and second[round(25 * WIPE_PERIOD / 2)] < 0.1
    assert all((np.diff(second[:50]) <= 1e-9).tolist())


def test_the_difference_is_grey_where_nothing_changed() -> None:
    picture = next(iter(SideBySideVideo(grey(100), grey(110), layout="difference").frames())).rgb()
    assert (picture == 128 + 40).all()
    assert (next(iter(SideBySideVideo(grey(7), grey(7), layout="difference").frames())).rgb() == 128).all()


def test_sizes_and_rates_may_differ_and_odd_sizes_become_even() -> None:
    both = SideBySideVideo(grey(10, size=(7, 9)), grey(200, count=10, size=(30, 44), rate=50), layout="wipe")
    frames = list(both.frames())
    assert len(frames) == 10 and frames[0].rgb().shape == (8, 10, 3) == (both.info.height, both.info.width, 3)
    assert [frame.time for frame in frames] == [Fraction(i, 50) for i in range(10)]


def test_frames_are_composed_only_when_asked_for() -> None:
    drawn = []

    class Counting(ArrayVideo):
        def frames(self):
            for frame in super().frames():
                drawn.append(frame.index)
                yield frame

    clip = Counting(np.zeros((200, 4, 4, 3), np.uint8), Fraction(25))
    frames = SideBySideVideo(clip, clip).frames()
    next(frames)
    frames.close()
    assert len(drawn) < 30


def test_an_unknown_layout_is_refused() -> None:
    with pytest.raises(InputError, match="choose one of: side by side"):
        SideBySideVideo(grey(1), grey(2), layout="diagonal")


def test_labels_are_written_into_the_corners_of_their_clips() -> None:
    plain = SideBySideVideo(grey(90, size=(120, 160)), grey(90, size=(120, 160)))
    both = SideBySideVideo(grey(90, size=(120, 160)), grey(90, size=(120, 160)), labels=("source", "edited"))
    written = next(iter(both.frames())).rgb() != next(iter(plain.frames())).rgb()
    for half in (written[:, :160], written[:, 160:]):
        assert half[:30, :60].any() and not half[40:].any() and not half[:, 110:].any()
    wipe = SideBySideVideo(grey(90, size=(120, 160)), grey(90, size=(120, 160)), layout="wipe", labels=("", "edited"))
    assert (next(iter(wipe.frames())).rgb()[:30, 100:] != 90).any()
