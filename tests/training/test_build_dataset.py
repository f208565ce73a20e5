"""The data set builder: what it stores, what it skips and why, whom it keeps for the test, and synchrony."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from conftest import FRAMES, write_clip
from hypothesis import given
from hypothesis import strategies as st

from thfem_core.errors import InputError
from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.pose import head_pose
from thfem_core.media.file_video import FileVideo
from thfem_core.talking_head.mouth.region import MARGIN, WIDE_PIXELS, mouth_regions
from training import build_dataset
from training.data.prepare import MAX_LAG, prepare, prepare_job, read_clip, read_index, synchrony, write_beside


def write_index(folder: Path, *rows: str) -> Path:
    (folder / "index.csv").write_text("\n".join(["file,identity,split", *rows]) + "\n", encoding="utf-8")
    return folder


def test_a_clip_is_stored_with_its_face_sound_and_regions(built: Path, collection: Path) -> None:
    clip = read_clip(built / "talking.npz")
    assert (clip.name, clip.identity, clip.split, clip.origin) == ("talking", "anna", "train", "demo")
    assert clip.landmarks.shape == (FRAMES, 478, 3)
    assert np.isfinite(clip.landmarks).all()
    assert abs(len(clip.speech) - FRAMES * 640) <= 640
    assert np.abs(clip.speech.astype(int)).max() > 1000
    assert clip.regions.shape == (FRAMES, WIDE_PIXELS, WIDE_PIXELS, 3)
    # The middle of the stored picture is the middle of the lips' region in the frame.
    frame = list(FileVideo(collection / "crops" / "talking.mp4").frames())[10].rgb()
    crop = mouth_regions(head_pose(clip.landmarks[10:11], canonical_mesh()), margin=MARGIN)[0]
    lips = clip.landmarks[10, [13, 14, 61, 291], :2]
    for place, (x, y) in zip(crop.to_crop(lips, WIDE_PIXELS), lips, strict=True):
        stored = clip.regions[10][int(place[1]), int(place[0])].astype(int)
        assert np.abs(stored - frame[int(y), int(x)]).max() < 40


def test_who_cannot_be_used_is_left_out_with_the_reason(
    built: Path, collection: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A second run makes nothing again but tries the clip without a face once more."""
    files = {path: path.stat().st_mtime_ns for path in built.iterdir()}
    assert {path.name for path in files} == {"talking.npz", "talking.regions.npy"}
    assert build_dataset.main([str(collection), str(built), "--workers", "1"]) == 0
    assert {path: path.stat().st_mtime_ns for path in built.iterdir()} == files
    assert "skipped nobody.mp4: no face" in capfd.readouterr().out


def test_other_reasons_to_skip(collection: Path, tmp_path: Path) -> None:
    pictures = np.stack([frame.rgb() for frame in FileVideo(collection / "crops" / "talking.mp4").frames()])
    row = {"identity": "anna", "split": "train"}
    write_clip(pictures[:8], tmp_path / "short.mp4")
    assert prepare(tmp_path / "short.mp4", tmp_path / "short.npz", row, True) == "a face in only 8 of 8 frames"
    write_clip(pictures[:2], tmp_path / "fast.mp4", rate=Fraction(30))
    assert "30 frames per second; convert" in (prepare(tmp_path / "fast.mp4", tmp_path / "x.npz", row, True) or "")
    (tmp_path / "text.mp4").write_text("not a video")
    name, reason = prepare_job((tmp_path / "text.mp4", tmp_path / "text.npz", row, False))
    assert name == "text.mp4" and reason and "\n" not in reason
    assert not list(tmp_path.glob("*.np*"))


def test_an_interrupted_write_leaves_no_file(tmp_path: Path) -> None:
    def broken(file) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_beside(tmp_path / "clip.npz", broken)
    assert not (tmp_path / "clip.npz").exists()


def test_whoever_is_in_two_splits_is_unseen(tmp_path: Path) -> None:
    write_index(tmp_path, "a,anna,train", "b,bert,train", "c,anna,test", "d,carl,val", "e,carl,train")
    splits = {row["file"]: row["split"] for row in read_index(tmp_path, ["train", "val", "test"])}
    assert splits == {"a": "test", "b": "train", "c": "test", "d": "val", "e": "val"}
    assert [row["file"] for row in read_index(tmp_path, ["train"])] == ["b"]


@pytest.mark.parametrize(
    ("row", "message"),
    [("a,anna,later", "line 2 .* split 'later'"), ("a,,train", "line 2 .* has no identity"), ("a", "has no identity")],
)
def test_a_bad_index_is_one_clear_line(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_index(write_index(tmp_path, row), ["train"])
    assert "\n" not in str(caught.value)


def test_a_missing_index_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build_dataset.main([str(tmp_path), str(tmp_path / "out")]) == InputError.exit_code
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "index.csv is missing" in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@given(st.integers(-MAX_LAG, MAX_LAG), st.integers(0, 5))
def test_synchrony_finds_a_known_lag(lag: int, seed: int) -> None:
    """The sound comes ``lag`` frames after the lips."""
    count = 60
    rng = np.random.default_rng(seed)
    decibels = np.convolve(rng.uniform(-45, -5, count + 4 * MAX_LAG), np.ones(3) / 3, "same")
    aperture = decibels[2 * MAX_LAG : 2 * MAX_LAG + count] / 5
    heard = 10 ** (decibels[2 * MAX_LAG - lag : 2 * MAX_LAG - lag + count] / 20)
    noise = rng.standard_normal((count, 640))
    noise /= np.sqrt(np.square(noise).mean(axis=1, keepdims=True))
    speech = np.clip(noise * heard[:, None] * 32767, -32768, 32767).astype(np.int16).ravel()
    found, at = synchrony(aperture, speech)
    assert at == lag
    assert found > 0.9


def test_silence_is_in_step_with_nothing() -> None:
    aperture = np.random.default_rng(0).random(40)
    assert synchrony(aperture, np.zeros(0, np.int16)) == (0.0, 0)
    assert synchrony(aperture, np.zeros(40 * 640, np.int16)) == (0.0, 0)
    assert synchrony(np.ones(40), np.random.default_rng(1).integers(-9999, 9999, 40 * 640).astype(np.int16)) == (0.0, 0)
