"""``edit`` with a talking head, and ``talk``; the talking head is a fake that paints squares."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from pathlib import Path

import cv2
import numpy as np
import pytest
from fake_talking_head import FakeHead

from thfem_core.cli.talk import frame_rate
from thfem_core.media.file_video import FileVideo
from thfem_core.media.frame import Box
from thfem_core.media.sound import join_sound
from thfem_core.media.writer import write_video
from thfem_core.talking_head.head import talking_heads


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch) -> FakeHead:
    head = FakeHead(box=Box(200, 300, 300, 380), paint=lambda source, target: (20 * source.index, 20 * target.index, 7))
    create = talking_heads.create

    def faked(name, options=None, resources=None):
        return head if name == "mouth" else create(name, options, resources)

    monkeypatch.setattr(talking_heads, "create", faked)
    return head


@pytest.fixture(scope="module")
def silent_clip(short_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("silent") / "silent.mp4"
    clip = FileVideo(short_clip)
    write_video(clip.frames(), path, like=clip, sound=None)
    return path


@pytest.fixture(scope="module")
def still(short_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("still") / "still.png"
    cv2.imwrite(str(path), cv2.cvtColor(next(FileVideo(short_clip).frames()).rgb(), cv2.COLOR_RGB2BGR))
    return path


def test_edit_draws_the_lips_by_default(thfem, short_clip, folder, head):
    outcome = thfem("edit", short_clip, "-o", folder / "o.mp4", "--emotion", "happy")
    assert outcome.code == 0, outcome.err
    assert "12 of 12 frames edited; sound: copied; lips drawn in 12 (drive blend)" in outcome.out
    assert [window.source.index for window in head.sessions[0].windows] == [0, 0, 5, 10]
    greens = [int(frame.rgb()[340, 250, 1]) for frame in FileVideo(folder / "o.mp4").frames()]
    assert greens == pytest.approx([20 * i for i in range(12)], abs=14)


def test_edit_takes_drive_and_windows(thfem, short_clip, folder, head):
    options = ("--drive", "audio", "--window", 4, "--overlap", 1, "--window-source", "first")
    outcome = thfem("edit", short_clip, "-o", folder / "o.mp4", "--emotion", "sad", *options)
    assert outcome.code == 0, outcome.err
    assert "(drive audio)" in outcome.out and head.clips[0].drive == "audio"
    windows = [(w.source.index, [t.index for t in w.targets]) for w in head.sessions[0].windows]
    assert windows == [(0, [0, 1, 2, 3]), (3, [3, 4, 5, 6]), (6, [6, 7, 8, 9]), (9, [9, 10, 11])]


def test_edit_without_a_talking_head(thfem, short_clip, folder, head):
    outcome = thfem("edit", short_clip, "-o", folder / "o.mp4", "--emotion", "sad", "--talking-head", "none")
    assert outcome.code == 0, outcome.err
    assert head.clips == [] and "lips" not in outcome.out


def test_a_silent_clip_is_driven_by_its_own_lips(thfem, silent_clip, folder, head):
    outcome = thfem("edit", silent_clip, "-o", folder / "o.mp4", "--emotion", "happy")
    assert (outcome.code, outcome.err) == (0, "")
    assert "(drive original)" in outcome.out


def test_a_silent_clip_cannot_be_driven_by_sound(thfem, silent_clip, folder, head):
    outcome = thfem("edit", silent_clip, "-o", folder / "o.mp4", "--emotion", "happy", "--drive", "audio")
    assert outcome.code == 2
    assert len(outcome.error_lines) == 1 and "drive original" in outcome.err
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--window", "0"], "give 1 to 100"),
        (["--window", "many"], "--window"),
        (["--overlap", "5"], "give 0 to 4"),
        (["--window-source", "next"], "previous, first"),
        (["--drive", "lips"], "audio, original, blend"),
        (["--talking-head", "wav2face"], "mouth"),
    ],
)
def test_mistyped_options_are_one_line(arguments, words, thfem, short_clip, folder, head):
    outcome = thfem("edit", short_clip, "-o", folder / "o.mp4", "--emotion", "happy", *arguments)
    assert outcome.code == 2
    assert len(outcome.error_lines) == 1 and words in outcome.err
    assert not list(folder.iterdir())


def test_talk_makes_a_picture_speak(thfem, short_clip, still, folder, head):
    output = folder / "o.mp4"
    outcome = thfem("talk", still, short_clip, "-o", output, "--fps", "29.97", "--window", 3)
    assert (outcome.code, outcome.err) == (0, "")
    frames = FileVideo(output).info.frame_count
    assert f"{frames} of {frames} frames" in outcome.out and f"lips drawn in {frames} (drive audio)" in outcome.out
    assert FileVideo(output).info.frame_rate == Fraction(30000, 1001)
    assert frames == ceil(join_sound(FileVideo(short_clip).sound_blocks()).duration * 30000 / 1001)
    assert {len(window.targets) for window in head.sessions[0].windows} <= {1, 2, 3}
    assert {window.source.index for window in head.sessions[0].windows} == {0}
    assert list(folder.iterdir()) == [output]


def test_talk_makes_a_clip_speak_another_sound(thfem, silent_clip, demo_clip, folder, head):
    outcome = thfem("talk", silent_clip, demo_clip, "-o", folder / "o.mp4", "--emotion", "happy")
    assert outcome.code == 0
    assert len(outcome.error_lines) == 1 and "its end is cut off" in outcome.err
    sound = join_sound(FileVideo(folder / "o.mp4").sound_blocks())
    assert sound.duration == pytest.approx(Fraction(12, 25), abs=0.06)
    assert np.abs(sound.samples).max() > 0.01


def test_talk_with_what_cannot_speak(thfem, short_clip, silent_clip, still, folder, tmp_path, head):
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((64, 64, 3), 90, np.uint8))
    for source, sound, code, words in (
        (blank, short_clip, 2, "no face found in blank.png"),
        (still, silent_clip, 2, "silent.mp4 has no sound"),
        (still, still, 2, "still.png"),
        (still, tmp_path / "no.wav", 2, "no.wav"),
    ):
        outcome = thfem("talk", source, sound, "-o", folder / "o.mp4")
        assert outcome.code == code and len(outcome.error_lines) == 1 and words in outcome.err
    for options, words in (
        (("--fps", "0"), "1 to 240"),
        (("--fps", "1/0"), "1 to 240"),
        (("--window", "0"), "1 to 100"),
    ):
        outcome = thfem("talk", still, short_clip, "-o", folder / "o.mp4", *options)
        assert outcome.code == 2 and len(outcome.error_lines) == 1 and words in outcome.err
    assert not list(folder.iterdir())


def test_talk_does_not_replace_its_inputs(thfem, short_clip, still, folder, head):
    clip = folder / "clip.mp4"
    clip.write_bytes(short_clip.read_bytes())
    outcome = thfem("talk", still, clip, "-o", clip)
    assert outcome.code == 2 and "--overwrite-input" in outcome.err
    assert clip.read_bytes() == short_clip.read_bytes()


@pytest.mark.parametrize(
    ("text", "rate"),
    [("25", 25), ("23.976", Fraction(24000, 1001)), ("30000/1001", Fraction(30000, 1001)), ("12.5", Fraction(25, 2))],
)
def test_frame_rates_are_the_ones_people_mean(text, rate):
    assert frame_rate(text) == rate
