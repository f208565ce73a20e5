"""Looking at fewer frames while nothing is in front of a face."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_track import RATE, MadeUpTrack, talking_face, textured_frames

from thfem_core.face.occlusion.clip import LEAST_SEEN, SAMPLES, ClipOcclusion
from thfem_core.face.occlusion.crop import occlusion_crop
from thfem_core.face.occlusion.face_mask import FaceMask
from thfem_core.media.frame import Frame

COUNT = 24
FRAMES = textured_frames(COUNT)
FACES = talking_face(COUNT, angle=4)


class ScriptedSource:
    """Something covers the left half of a face in the frames of a script; remembers the frames it was asked about."""

    steady = False

    def __init__(self, covered: Sequence[bool]) -> None:
        self.covered = covered
        self.looked: list[int] = []

    def begin(self, frame: Frame) -> None: ...

    def face(self, frame: Frame, landmarks: np.ndarray) -> FaceMask:
        self.looked.append(frame.index)
        covered = np.zeros((SAMPLES, SAMPLES), np.float32)
        covered[:, : SAMPLES // 2] = self.covered[frame.index]
        return FaceMask(crop=occlusion_crop(landmarks), covered=covered)

    def whole(self) -> None: ...

    def close(self) -> None: ...


def each_one(occlusion: ClipOcclusion, frames: Sequence[Frame]) -> Iterator[Frame]:
    for frame in frames:
        occlusion.look(frame)
        yield frame


def looked_through(occlusion: ClipOcclusion, frames: Sequence[Frame]) -> Iterator[Frame]:
    return occlusion.look_through(iter(frames))


def masks(
    covered: Sequence[bool],
    way: Callable[[ClipOcclusion, Sequence[Frame]], Iterator[Frame]],
    rate: int = 25,
    times: Sequence[Fraction] = (),
) -> tuple[np.ndarray, list[int]]:
    source = ScriptedSource(covered)
    occlusion = ClipOcclusion(source, [MadeUpTrack(FACES)], Fraction(rate))
    times = times or [Fraction(index, rate) for index in range(COUNT)]
    frames = [replace(frame, time=time) for frame, time in zip(FRAMES, times, strict=True)]
    seen = list(way(occlusion, frames))
    assert [frame.index for frame in seen] == list(range(COUNT))
    return np.stack([occlusion.masks(frame) for frame in seen]), source.looked


@st.composite
def scripts(draw: st.DrawFn) -> tuple[int, list[bool]]:
    """A frame rate, and something that comes and goes, each time for as long as is always seen."""
    rate = draw(st.sampled_from([8, 24, 25, 30, 60]))
    covered: list[bool] = []
    while len(covered) < COUNT:
        covered += [False] * draw(st.integers(0, 13)) + [True] * draw(st.integers(max(1, int(LEAST_SEEN * rate)), 9))
    return rate, covered[:COUNT]


@settings(deadline=None, max_examples=60)
@given(scripts())
def test_what_shows_long_enough_is_seen_in_all_of_its_frames(script: tuple[int, list[bool]]) -> None:
    rate, covered = script
    expected, _ = masks(covered, each_one, rate)
    found, _ = masks(covered, looked_through, rate)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("rate", "step"), [(8, 1), (24, 2), (25, 2), (30, 2), (60, 5)])
def test_few_frames_of_a_clear_clip_are_looked_at(rate: int, step: int) -> None:
    found, looked = masks([False] * COUNT, looked_through, rate)
    assert not found.any()
    assert looked == sorted({*range(0, COUNT, step), COUNT - 1})


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([60, 25, 5]), min_size=COUNT, max_size=COUNT), st.integers(0, COUNT - 1))
def test_a_frame_that_shows_long_in_a_clip_of_variable_rate_is_seen(rates: list[int], slow: int) -> None:
    rates[slow] = 10
    times = [sum((Fraction(1, rate) for rate in rates[:index]), Fraction(0)) for index in range(COUNT)]
    covered = [index == slow for index in range(COUNT)]
    expected, _ = masks(covered, each_one, 60, times)
    found, _ = masks(covered, looked_through, 60, times)
    np.testing.assert_array_equal(found, expected)


def test_every_frame_is_looked_at_while_something_is_in_front() -> None:
    _, looked = masks([True] * COUNT, looked_through)
    assert looked == list(range(COUNT))


def test_a_face_is_looked_at_in_its_first_and_last_frame_whoever_else_is_clear() -> None:
    source = ScriptedSource([False] * COUNT)
    there, comes = MadeUpTrack(FACES), MadeUpTrack(FACES[:6], first_frame=9)
    comes.track_id = 1
    occlusion = ClipOcclusion(source, [there, comes], RATE)
    list(looked_through(occlusion, FRAMES))
    asked = Counter(source.looked)
    assert asked[9] == asked[14] == 2
    assert 0 in {asked[i] for i in range(9, 15)}
