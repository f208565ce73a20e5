"""Every fault ends in one line that says what to do, the right exit code, and no file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from thfem_core.media.file_video import FileVideo

REPO = Path(__file__).parents[2]


def write_clip(path: Path, pictures: list[np.ndarray], *, sound_stream: bool = False, faststart: bool = False) -> Path:
    """A plain clip; ``sound_stream`` adds a sound track without a single packet."""
    options = {"movflags": "+faststart"} if faststart else {}
    with av.open(str(path), "w", options=options) as container:
        lossless = path.suffix == ".mkv"
        video = container.add_stream("ffv1" if lossless else "libx264", rate=Fraction(25))
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "bgr0" if lossless else "yuv420p"
        if sound_stream:
            container.add_stream("aac", rate=48000, layout="stereo")
        for picture in pictures:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
    return path


def noise(count: int = 10, size: int = 96) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [cv2.resize(random.integers(0, 255, (8, 8, 3), np.uint8), (size, size)) for _ in range(count)]


def no_file(folder: Path, clip: Path) -> Path:
    return folder / "missing.mp4"


def text_file(folder: Path, clip: Path) -> Path:
    path = folder / "text.mp4"
    path.write_text("this is no video\n" * 400)
    return path


def empty_file(folder: Path, clip: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def folder_without_pictures(folder: Path, clip: Path) -> Path:
    path = folder / "folder"
    path.mkdir()
    return path


def truncated(folder: Path, clip: Path) -> Path:
    whole = write_clip(folder / "whole.mp4", noise())
    path = folder / "truncated.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return path


def sound_only(folder: Path, clip: Path) -> Path:
    path = folder / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("make", [no_file, text_file, empty_file, folder_without_pictures, truncated, sound_only])
def test_unusable_inputs(make, thfem, short_clip, folder, tmp_path):
    source = make(tmp_path, short_clip)
    for command in (
        ("edit", source, "-o", folder / "o.mp4", "--emotion", "happy"),
        ("edit", short_clip, "-o", folder / "o.mp4", "--reference", source),
        ("faces", source, "-o", folder / "o.png"),
    ):
        outcome = thfem(*command)
        assert outcome.code == 2, outcome
        assert len(outcome.error_lines) == 1 and outcome.out == ""
        assert source.name in outcome.err
        assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--emotion", "hapy"], 2, "neutral"),
        (["--emotion", "happy", "--strength", "9"], 2, "between 0"),
        (["--emotion", "happy", "--mouth", "-1"], 2, "mouth strength"),
        (["--emotion", "happy", "--strength", "much"], 2, "--strength"),
        (["--emotion", "happy", "--curve", "1:1,0:0"], 2, "must rise"),
        (["--emotion", "happy", "--curve", "now:1"], 2, "seconds:factor"),
        (["--emotion", "happy", "--editor", "meshh"], 2, "mesh, frames"),
        (["--emotion", "happy", "--face", "left"], 2, "largest"),
        (["--emotion", "happy", "--face", "7"], 2, "face 7"),
        (["--emotion", "happy", "--device", "gpu"], 2, "auto, cpu, cuda, mps"),
        (["--emotion", "happy", "--device", "cuda:99"], 2, "--device cpu"),
        (["--emotion", "happy", "--crf", "99"], 2, "crf"),
        (["--emotion", "happy", "--preset", "warp"], 2, "ultrafast, superfast"),
        (["--emotion", "happy", "--texture", "5"], 2, "between 0"),
        (["--emotion", "happy", "--spectacles", "maybe"], 2, "auto, yes, no"),
        (["--editor", "frames", "--edited-frames", "x", "--texture", "1"], 2, "expression editor mesh"),
        (["--emotion", "happy", "--edited-frames", "x"], 2, "expression editor frames"),
        (["--editor", "frames"], 2, "edited-frames is missing"),
        (["--emotion", "happy", "--texture", "much"], 2, "--texture is 'much'; give a number"),
        (["--emotion", "happy", "--timing", "exact"], 2, "--timing is an option of the talking head eat"),
        (["--emotion", "happy", "--talking-head", "none", "--amount", "1"], 2, "talking head mouth"),
        (["--emotion", "happy", "--talking-head", "none", "--drive", "audio"], 2, "--drive is for a talking head"),
        (["--emotion", "happy", "--talking-head", "none", "--window", "9"], 2, "--window is for a talking head"),
        (["--emotion", "happy", "--reference", "x"], 2, "not allowed with"),
        (["--slider", "smil=1"], 2, "there is no slider 'smil'; choose one of: smile"),
        (["--emotion", "happy", "--stregth", "1"], 2, "--stregth 1; see python -m thfem_core edit --help"),
        ([], 2, "--emotion"),
    ],
)
def test_mistyped_commands(arguments, code, words, thfem, short_clip, folder):
    outcome = thfem("edit", short_clip, "-o", folder / "o.mp4", *arguments)
    assert outcome.code == code
    assert len(outcome.error_lines) == 1
    assert words in outcome.err
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("output", "code", "words"),
    [("no/such/o.mp4", 3, "no folder"), ("o.txt", 3, ".mp4"), ("", 3, "folder"), ("o", 3, ".mp4")],
)
def test_unwritable_outputs(output, code, words, thfem, short_clip, folder):
    outcome = thfem("edit", short_clip, "-o", folder / output, "--emotion", "happy")
    assert outcome.code == code
    assert len(outcome.error_lines) == 1 and words in outcome.err
    assert not list(folder.iterdir())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(thfem, short_clip, folder):
    folder.chmod(0o500)
    outcome = thfem("edit", short_clip, "-o", folder / "o.mp4", "--emotion", "happy")
    folder.chmod(0o700)
    assert outcome.code == 3 and len(outcome.error_lines) == 1


@pytest.mark.parametrize("output", ["o.gif", "o"])
def test_a_preview_must_be_a_picture(output, thfem, short_clip, folder):
    outcome = thfem("faces", short_clip, "-o", folder / output)
    assert outcome.code == 3 and ".png" in outcome.err and len(outcome.error_lines) == 1


def test_a_full_disk(short_clip, folder):
    """The largest file allowed is smaller than the output, which is what a full disk looks like to a writer."""
    resource = pytest.importorskip("resource", reason="POSIX limits")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    command = [sys.executable, "-m", "thfem_core", "edit", short_clip, "-o", folder / "o.mp4", "--emotion", "happy"]
    done = subprocess.run(
        [*command, "--crf", "0"], cwd=REPO, preexec_fn=limit, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(folder.iterdir())


@pytest.mark.parametrize("faces_wanted", ["largest", "all", "0"])
def test_a_clip_without_a_face_passes_through(faces_wanted, thfem, folder, tmp_path):
    source = write_clip(tmp_path / "noise.mp4", noise())
    output = folder / "o.mp4"
    outcome = thfem("edit", source, "-o", output, "--emotion", "happy", "--face", faces_wanted, "--crf", 4)
    assert outcome.code == 0, outcome.err
    assert "no usable face" in outcome.out and "all 10 frames passed through unchanged" in outcome.out
    for before, after in zip(FileVideo(source).frames(), FileVideo(output).frames(), strict=True):
        assert np.abs(before.rgb().astype(int) - after.rgb()).mean() < 2


def test_a_reference_without_a_face_is_refused(thfem, short_clip, folder, tmp_path):
    reference = write_clip(tmp_path / "noise.mp4", noise())
    outcome = thfem("edit", short_clip, "-o", folder / "o.mp4", "--reference", reference)
    assert outcome.code == 2
    assert len(outcome.error_lines) == 1 and "noise.mp4" in outcome.err
    assert not list(folder.iterdir())


def test_a_clip_whose_end_is_missing_says_so(thfem, folder, tmp_path):
    whole = write_clip(tmp_path / "whole.mp4", noise(60), faststart=True)
    source = tmp_path / "cut.mp4"
    source.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    outcome = thfem("edit", source, "-o", folder / "o.mp4", "--emotion", "happy")
    assert outcome.code == 0
    assert len(outcome.error_lines) == 1
    assert "cut off" in outcome.err and "of its 60 frames" in outcome.err


@pytest.mark.parametrize("size", [1, 2])
def test_tiny_pictures_pass_through(size, thfem, folder, tmp_path):
    source = write_clip(tmp_path / "tiny.mkv", [np.full((size, size, 3), 90, np.uint8)] * 4)
    output = folder / "o.mkv"
    outcome = thfem("edit", source, "-o", output, "--emotion", "happy")
    assert outcome.code == 0, outcome.err
    assert "no usable face" in outcome.out
    info = FileVideo(output).info
    assert (info.width, info.height) == (size, size)


def test_a_sound_track_without_a_sample(thfem, folder, tmp_path):
    source = write_clip(tmp_path / "mute.mp4", noise(), sound_stream=True)
    outcome = thfem("edit", source, "-o", folder / "o.mp4", "--emotion", "happy")
    assert outcome.code == 0, outcome.err
    assert len(outcome.error_lines) <= 1
    assert FileVideo(folder / "o.mp4").info.frame_count == 10


def test_an_unexpected_fault_is_one_line_and_shows_itself_on_request(thfem, short_clip, folder, monkeypatch):
    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr("thfem_core.pipeline.edit_to_file", broken)
    command = ("edit", short_clip, "-o", folder / "o.mp4", "--emotion", "happy")
    outcome = thfem(*command)
    assert outcome.code == 70
    assert len(outcome.error_lines) == 1 and "--traceback" in outcome.err and "second line" in outcome.err
    with pytest.raises(RuntimeError, match="second line"):
        thfem(*command, "--traceback")
