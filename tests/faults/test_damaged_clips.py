"""Damaged clips, a few of each kind; ``python -m tests.faults`` tries many."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "media")]

from media_material import make_video, marked_rgb, read_mark, tone  # noqa: E402

from tests.faults.damage import CLIPS, KINDS, make_clips  # noqa: E402
from tests.faults.media import copy_of_damaged  # noqa: E402
from thfem_core.media.array_video import ArrayVideo  # noqa: E402
from thfem_core.media.file_video import FileVideo  # noqa: E402
from thfem_core.media.sound import Sound, join_sound  # noqa: E402
from thfem_core.media.writer import write_video  # noqa: E402


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_clips(tmp_path_factory.mktemp("clips"))


@pytest.mark.parametrize("name", CLIPS)
def test_all_that_one_thread_decodes_comes_out_and_losses_are_told(name, clips, tmp_path):
    outcomes = [copy_of_damaged(clips[name], seed, tmp_path) for seed in range(len(KINDS))]
    assert [outcome for outcome in outcomes if outcome.fault] == []


def test_frames_that_the_index_promised_are_counted(tmp_path):
    clip = make_video(
        tmp_path / "clip.mp4",
        pictures=[marked_rgb(64, 64, n) for n in range(40)],
        options={"movflags": "faststart", "g": "10"},
        sound=tone(1.6, 16_000),
    )
    moved = tmp_path / "moved.mp4"
    video = FileVideo(clip)
    write_video(video.frames(), moved, like=video)  # the index is written to the front
    data = moved.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) * 8 // 10])
    told: list[str] = []
    cut = FileVideo(tmp_path / "cut.mp4")
    count = sum(1 for _ in cut.frames(warn=told.append))
    assert cut.info.frame_count == 40 and 0 < count < 40
    assert told == [f"cut.mp4 is damaged or cut off: {40 - count} of its 40 frames cannot be read"]
    told.clear()
    join_sound(cut.sound_blocks(warn=told.append))
    assert len(told) == 1 and "cut off: it ends" in told[0]


def test_an_undamaged_clip_is_not_complained_about(clips):
    for clip in clips.values():
        told: list[str] = []
        video = FileVideo(clip)
        assert sum(1 for _ in video.frames(warn=told.append)) == 30
        join_sound(video.sound_blocks(warn=told.append))
        assert told == [], clip


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_reordered_pictures_in_avi_come_at_even_times(codec, tmp_path):
    """AVI stores no presentation times."""
    clip = make_video(
        tmp_path / "clip.avi",
        pictures=[marked_rgb(64, 64, n) for n in range(20)],
        codec=codec,
        options={"bf": "2"},
    )
    frames = list(FileVideo(clip).frames())
    assert [frame.time for frame in frames] == [Fraction(n, 25) for n in range(20)]
    marks = [read_mark(frame.rgb()) for frame in frames]
    assert np.abs(np.array(marks) - np.arange(20)).max() <= 1, "in order, up to the codec's loss"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_joined_recordings_keep_their_sound_in_step(suffix, tmp_path):
    """The second recording begins before the first one's sound ends, as where HLS segments are joined."""
    parts = []
    for number in range(2):
        parts.append(
            make_video(
                tmp_path / f"{number}.ts",
                pictures=[marked_rgb(64, 64, n) for n in range(20)],
                codec="mpeg2video",
                ticks=range(20 * number, 20 * number + 20),
                time_base=Fraction(1, 25),
                sound=tone(0.95, 48_000, seed=number),
                sound_rate=48_000,
                sound_start=0.8 * number,
            ).read_bytes()
        )
    (tmp_path / "joined.ts").write_bytes(b"".join(parts))
    video, told = FileVideo(tmp_path / "joined.ts"), []
    report = write_video(video.frames(), tmp_path / f"out{suffix}", like=video, warn=told.append)
    assert report.frame_count == 40 and any("steps back in time" in line for line in told)
    heard = join_sound(FileVideo(tmp_path / f"out{suffix}").sound_blocks())
    assert float(heard.duration) == pytest.approx(1.75, abs=0.08)
    own = join_sound(video.sound_blocks())
    assert float(own.duration) == pytest.approx(1.75, abs=0.08)


@pytest.mark.parametrize("rate", [192_000, 37_800, 11_111])
def test_sound_of_a_rate_that_the_codec_lacks_is_resampled_and_said(rate, tmp_path):
    clip = ArrayVideo(np.zeros((10, 32, 32, 3), np.uint8), Fraction(25), sound=Sound(tone(0.4, rate), rate))
    told: list[str] = []
    report = write_video(clip.frames(), tmp_path / "out.mp4", like=clip, warn=told.append)
    heard = join_sound(FileVideo(tmp_path / "out.mp4").sound_blocks())
    assert report.sound == "encoded" and float(heard.duration) == pytest.approx(0.4, abs=0.06)
    assert len(told) == (rate > 96_000)


def test_samples_that_are_no_numbers_are_silenced_and_said(tmp_path):
    samples = tone(0.4, 16_000)
    samples[0, 100:200], samples[0, 300], samples[0, 301] = np.nan, np.inf, 1e20
    clip = ArrayVideo(np.zeros((10, 32, 32, 3), np.uint8), Fraction(25), sound=Sound(samples, 16_000))
    told: list[str] = []
    assert write_video(clip.frames(), tmp_path / "out.mp4", like=clip, warn=told.append).sound == "encoded"
    assert len(told) == 1 and "no numbers" in told[0]
