"""Two clips with the same words: the map between their frames, and the second at the pace of the first."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_speech import syllables

from thfem_core.alignment.clips import AlignmentConfig, align_clips, speech_features
from thfem_core.alignment.dtw import dtw_path
from thfem_core.alignment.frame_map import FrameMap
from thfem_core.alignment.path_plot import path_plot
from thfem_core.alignment.pauses import with_even_pauses
from thfem_core.alignment.retime import RetimedVideo
from thfem_core.audio.speech import Speech
from thfem_core.errors import InputError
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.sound import Sound, join_sound
from thfem_core.media.writer import write_video

RATE = 16_000
TALK = syllables(4.0, RATE, seed=1)


def clip(samples: np.ndarray | None, rate: Fraction = Fraction(25), *, count: int | None = None, name="clip"):
    """A clip whose pictures say their number."""
    if count is None:
        count = round(len(samples) / RATE * rate)
    images = np.zeros((count, 8, 8, 3), np.uint8)
    images[:] = (np.arange(count) % 256)[:, None, None, None]
    return ArrayVideo(images, rate, name=name, sound=None if samples is None else Sound(samples[None], RATE))


@pytest.mark.parametrize("features", ["mfcc", "mel"])
@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(60)])
def test_a_clip_with_itself_is_the_identity(features, rate: Fraction) -> None:
    alignment = align_clips(clip(TALK, rate), clip(TALK, rate), config=AlignmentConfig(features=features))
    np.testing.assert_array_equal(alignment.frame_map.target, np.arange(len(alignment.first)))
    assert alignment.path.cost == alignment.frame_map.mean_cost == 0


@pytest.mark.parametrize("features", ["mfcc", "mel"])
@pytest.mark.parametrize("speed", [0.8, 1.25])
@pytest.mark.parametrize("band", [None, Fraction(1, 2)])
def test_a_stretched_copy_is_followed(features, speed: float, band: Fraction | None) -> None:
    stretched = librosa.effects.time_stretch(TALK, rate=speed) * np.float32(0.2)
    alignment = align_clips(clip(TALK), clip(stretched), config=AlignmentConfig(features=features, band=band))
    expected = np.arange(100) / speed
    assert np.abs(alignment.frame_map.target - expected).max() <= 2


def test_real_speech_is_followed(demo_clip: Path) -> None:
    video = FileVideo(demo_clip)
    sound = join_sound(video.sound_blocks())
    assert sound is not None
    stretched = librosa.effects.time_stretch(sound.mono().samples[0], rate=0.85)
    slow = ArrayVideo(
        np.zeros((round(video.info.frame_count / 0.85), 2, 2, 3), np.uint8),
        Fraction(25),
        sound=Sound(stretched[None].astype(np.float32), sound.sample_rate),
    )
    target = align_clips(video, slow).frame_map.target
    assert np.abs(target - np.arange(len(target)) / 0.85).max() <= 2


def test_clips_of_different_rates_meet_at_the_same_moments() -> None:
    first, second = clip(TALK, Fraction(25)), clip(TALK, Fraction(30000, 1001))
    frame_map = align_clips(first, second).frame_map
    apart = frame_map.target / float(second.info.frame_rate) - np.arange(len(frame_map.target)) / 25
    assert np.abs(apart).max() <= 0.05
    assert frame_map.second_time(Fraction(2)) == pytest.approx(2, abs=0.05)


def test_a_pause_in_one_clip_is_waited_for() -> None:
    pause = 0.8
    late = np.concatenate([TALK[: 2 * RATE], np.zeros(int(pause * RATE), np.float32), TALK[2 * RATE :]])
    target = align_clips(clip(TALK), clip(late)).frame_map.target
    assert np.abs(target[:48] - np.arange(48)).max() <= 2
    assert np.abs(target[53:] - np.arange(53, 100) - 20).max() <= 2


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 12),
    other=st.integers(1, 12),
    quiet=st.lists(st.booleans(), min_size=24, max_size=24),
    seed=st.integers(0, 1000),
)
def test_even_pauses_never_go_back_and_leave_speech_alone(count: int, other: int, quiet: list[bool], seed: int) -> None:
    rng = np.random.default_rng(seed)
    path = dtw_path(rng.integers(0, 3, (count, 1)).astype(float), rng.integers(0, 3, (other, 1)).astype(float))
    first, second = np.array(quiet[:count]), np.array(quiet[12 : 12 + other])
    target = with_even_pauses(path, first, second)
    assert (np.diff(target) >= 0).all() and target[0] >= 0 and target[-1] < other
    np.testing.assert_array_equal(target[~first], path.matches()[~first])
    np.testing.assert_array_equal(with_even_pauses(path, np.zeros_like(first), second), path.matches())
    if first.all() and second.all() and count > 1:
        np.testing.assert_array_equal(target, np.rint(np.linspace(0, other - 1, count)))


@pytest.mark.parametrize("features", ["mfcc", "mel"])
def test_features_do_not_know_the_recording_level(features) -> None:
    loud, soft = (Speech.from_sound(Sound(TALK[None] * np.float32(factor), RATE)) for factor in (1.0, 0.2))
    rows = [speech_features(speech, Fraction(25), 100, features=features) for speech in (loud, soft)]
    np.testing.assert_allclose(*rows, atol=0.02)


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(st.integers(0, 4), min_size=1, max_size=40),
    first_rate=st.fractions(10, 60),
    second_rate=st.fractions(10, 60),
)
def test_the_retimed_clip_shows_the_paired_frames(
    steps: list[int], first_rate: Fraction, second_rate: Fraction
) -> None:
    target = np.cumsum(steps) - steps[0]
    first, second = (
        clip(None, first_rate, count=len(target)), clip(None, second_rate, count=int(target[-1]) + 1)
    )  # fmt: skip
    frame_map = FrameMap(target=target, first_rate=first_rate, second_rate=second_rate, mean_cost=0.0)
    frames = list(RetimedVideo(first=first, second=second, frame_map=frame_map).frames())
    assert [int(frame.rgb()[0, 0, 0]) for frame in frames] == (target % 256).tolist()
    assert [(f.index, f.time) for f in frames] == [(f.index, f.time) for f in first.frames()]


def test_a_second_clip_that_ends_early_stays_on_its_last_frame() -> None:
    frame_map = FrameMap(target=np.arange(10), first_rate=Fraction(25), second_rate=Fraction(25), mean_cost=0.0)
    retimed = RetimedVideo(first=clip(None, count=12), second=clip(None, count=4), frame_map=frame_map)
    assert [int(f.rgb()[0, 0, 0]) for f in retimed.frames()] == [0, 1, 2, 3, *[3] * 8]


def test_the_retimed_clip_has_the_clock_and_sound_of_the_first(tmp_path: Path) -> None:
    stretched = librosa.effects.time_stretch(TALK, rate=1.2)
    first, second = clip(TALK, Fraction(25), name="a"), clip(stretched, Fraction(30), name="b")
    retimed = RetimedVideo(first=first, second=second, frame_map=align_clips(first, second).frame_map)
    assert retimed.info.frame_rate == 25 and retimed.info.frame_count == 100 and retimed.info.has_sound
    report = write_video(retimed.frames(), tmp_path / "retimed.mkv", like=first)
    assert report.frame_count == 100 and report.sound == "encoded"
    written = FileVideo(tmp_path / "retimed.mkv")
    sound = join_sound(written.sound_blocks())
    assert sound is not None and abs(sound.duration - 4) < Fraction(1, 10)
    again = align_clips(first, written).frame_map
    assert np.abs(again.target - np.arange(100)).max() <= 1


def test_only_a_few_frames_are_alive_at_a_time() -> None:
    alive, most = set(), 0

    class Watched:
        info = clip(None, count=300).info

        def frames(self, *, warn=None):
            nonlocal most
            for frame in clip(None, count=300).frames():
                alive.add(frame.index)
                most = max(most, len(alive))
                yield frame
                alive.discard(frame.index - 1)

    frame_map = FrameMap(target=np.arange(300), first_rate=Fraction(25), second_rate=Fraction(25), mean_cost=0.0)
    retimed = RetimedVideo(first=clip(None, count=300), second=Watched(), frame_map=frame_map)
    frames = retimed.frames()
    for number, frame in enumerate(frames):
        assert frame.index == number and most <= 3
        if number == 200:
            break
    frames.close()
    assert max(alive) < 205, "frames are read no further than they are needed"


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (clip(None, count=100, name="mute.mp4"), clip(TALK), "mute.mp4.*no sound"),
        (clip(TALK), clip(None, count=100, name="mute.mp4"), "mute.mp4.*no sound"),
        (clip(TALK), clip(TALK * 0, name="still.mp4"), "still.mp4.*silent"),
        (clip(TALK, name="long.mp4"), clip(TALK[:16_000], name="short.mp4"), "4.0 s and short.mp4 1.0 s.*trim"),
        (clip(TALK, count=7000, name="a"), clip(TALK, count=7000, name="b"), "a and b are too long.*4.2 minutes"),
    ],
)
def test_clips_that_cannot_be_aligned_are_named_in_one_line(first, second, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        align_clips(first, second)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("wrong", [{"features": "words"}, {"band": Fraction(0)}])
def test_impossible_settings_are_refused(wrong: dict) -> None:
    with pytest.raises(InputError):
        AlignmentConfig(**wrong)


def test_a_map_that_goes_back_is_refused() -> None:
    for target in ([2, 1], [-1, 0], []):
        with pytest.raises(ValueError, match="rising"):
            FrameMap(target=np.array(target), first_rate=Fraction(25), second_rate=Fraction(25), mean_cost=0)


def test_aligning_can_be_cancelled() -> None:
    class Cancelled(BaseException):
        pass

    def cancel(stage: str, done: int, total: int | None) -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        align_clips(clip(TALK), clip(TALK), progress=cancel)


@pytest.mark.parametrize("size", [256, 512])
def test_the_plot_shows_the_path(size: int) -> None:
    """The path of a clip with itself goes from the lower left to the upper right, white on the colours of the costs."""
    plot = path_plot(align_clips(clip(TALK), clip(TALK)), size=size)
    assert plot.shape == (size, size, 3) and plot.dtype == np.uint8
    coloured = (plot.max(axis=2).astype(int) - plot.min(axis=2)) > 40
    rows, columns = (np.flatnonzero(coloured.mean(axis=axis) > 0.4) for axis in (1, 0))
    inside = plot[rows[0] + 4 : rows[-1] - 3, columns[0] + 4 : columns[-1] - 3]
    ys, xs = np.nonzero((inside > 250).all(axis=2))
    assert len(np.unique(xs)) > 0.9 * inside.shape[1]
    assert np.corrcoef(xs, ys)[0, 1] < -0.99
