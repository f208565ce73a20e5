"""Pairs of an edited clip and the real clip of the same words: right, resumable, listed, looked at."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.made_pairs import speech_and_pictures, warped, write_clip_with_sound
from thfem_core.errors import InputError
from thfem_core.expression.request import Emotion
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis
from training.build_pairs import main
from training.config import DataConfig, LoopConfig
from training.data.clips import load_clips
from training.data.layouts import csv_clips
from training.data.pair_alignment import read_alignment
from training.data.pair_files import read_pairs
from training.data.pair_plan import PairConfig, plan_pairs
from training.data.pairs import _aligned, build_pair
from training.stages.renderer import RendererStageConfig, window_tensors


@pytest.fixture(scope="module")
def collection(demo_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A person who says a sentence neutrally, happily at another pace, and noise that passes for the sad sentence."""
    folder = tmp_path_factory.mktemp("clips")
    sound, pictures = speech_and_pictures(demo_clip, seconds=Fraction(2), side=200)
    other_sound, other_pictures, place = warped(sound, pictures, 25)
    write_clip_with_sound(folder / "plain.mp4", pictures, sound)
    write_clip_with_sound(folder / "smiling.mp4", other_pictures, other_sound)
    noise = np.random.default_rng(0).normal(0, 0.3, len(sound)) * (np.arange(len(sound)) % 8000 < 3000)
    write_clip_with_sound(folder / "noise.mp4", pictures, noise)
    rows = ["file,actor,emotion,sentence", "plain.mp4,ann,neutral,orbit", "smiling.mp4,ann,happy,orbit"]
    (folder / "clips.csv").write_text("\n".join([*rows, "noise.mp4,ann,sad,orbit"]) + "\n", encoding="utf-8")
    return folder / "clips.csv", place


@pytest.fixture(scope="module")
def built(collection: tuple[Path, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pairs")
    assert main(["csv", str(collection[0]), str(out), "--by-label"]) == 0
    return out


def test_a_warp_is_recovered_within_a_frame(built: Path, collection: tuple[Path, np.ndarray]) -> None:
    happy = next(pair for pair in read_pairs(built) if pair.emotion == "happy")
    error = np.abs(happy.frame_map - collection[1][: len(happy.frame_map)])
    assert error.mean() < 1, error
    assert happy.pictures("edited").shape == happy.pictures("target").shape == (50, 256, 256, 3)
    assert happy.edited_landmarks.shape == happy.target_landmarks.shape == (50, 478, 3)
    centre = happy.target_landmarks[:, 1, :2].mean(axis=0)  # the nose tip
    assert np.abs(centre - 128).max() < 50
    assert happy.frame_rate == 25 and len(happy.speech) == pytest.approx(32000, abs=800)


def test_the_mouth_stages_take_edited_frames_as_sources(built: Path) -> None:
    data = DataConfig(pairs=str(built), window=5)
    clips = load_clips(data, "val", load_mouth_basis(), keep=lambda clip: clip.regions is not None)
    clip = clips[0]
    assert clip.edited is not None and clip.edited.frames == clip.frames == 50
    config = RendererStageConfig(data=data, loop=LoopConfig(), jitter=0.0)
    window = window_tensors(clip, 3, np.arange(4, 9), config, np.random.default_rng(0))
    np.testing.assert_array_equal(window["source"], clip.edited.clip.regions[3].transpose(2, 0, 1))
    np.testing.assert_array_equal(window["whole"], clip.clip.regions[4:9].transpose(0, 3, 1, 2))
    assert np.isfinite(window["flows"]).all()


def test_neutral_is_its_own_target(built: Path) -> None:
    neutral = next(pair for pair in read_pairs(built) if pair.emotion == "neutral")
    np.testing.assert_array_equal(neutral.frame_map, np.arange(50))
    assert neutral.mean_cost == 0


def test_what_cannot_be_paired_is_reported(built: Path) -> None:
    manifest = json.loads((built / "manifest.json").read_text())
    assert [row["emotion"] for row in manifest["pairs"]] == ["happy", "neutral"]
    (dropped,) = manifest["dropped"]
    assert dropped["emotion"] == "sad" and "the warping costs" in dropped["dropped"]
    assert len(manifest["lacking"]) == 4 and all(
        "ann says these words in no such clip" in x for x in manifest["lacking"]
    )
    for row in manifest["pairs"]:
        for name, digest in row["files"].items():
            assert hashlib.sha256((built / row["name"] / name).read_bytes()).hexdigest() == digest
    page = (built / "index.html").read_text()
    assert page.count("sheet.jpg") == 2 and "the warping costs" in page
    assert not list(built.glob(".*.part"))


def test_a_second_run_makes_nothing_again(built: Path, collection: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    def times() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in built.glob("*/*") if path.suffix != ".html"}

    before = times()
    assert main(["csv", str(collection[0]), str(built), "--by-label"]) == 0
    assert times() == before
    half = built / ".ann_neutral_plain__happy.part"
    half.mkdir()
    (half / "edited.mp4").write_bytes(b"half")
    shutil.rmtree(built / "ann_neutral_plain__happy")
    assert main(["csv", str(collection[0]), str(built), "--by-label"]) == 0
    assert not half.exists() and len(read_pairs(built)) == 2


def test_the_same_words_are_found_by_the_sound(collection: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    """Sentences are numbered anew in each emotion: the happy clip of these words and the noise are both candidates."""
    clips = [replace(clip, sentence=clip.name, emotion=_as_happy(clip.emotion)) for clip in csv_clips(collection[0])]
    config = PairConfig(out=tmp_path, by_label=True, search=True)
    (job,) = (job for job in plan_pairs(clips, config)[0] if job.target.emotion == "happy")
    assert len(job.candidates) == 2
    found, frame_map, cost = _aligned(job)
    assert found.target.name == "ann_happy_smiling" and cost < config.max_cost
    assert np.abs(frame_map - collection[1][: len(frame_map)]).mean() < 1


def test_a_table_may_split_by_person(tmp_path: Path) -> None:
    rows = ["a.mp4,ann,neutral,one,train", "a.mp4,ann,happy,one,train", "b.mp4,bob,neutral,one,test"]
    (tmp_path / "clips.csv").write_text("\n".join(["file,actor,emotion,sentence,split", *rows]))
    jobs, _ = plan_pairs(csv_clips(tmp_path / "clips.csv"), PairConfig(out=tmp_path))
    found = {(job.source.actor, job.target.emotion): job.split for job in jobs}
    assert found == {("ann", "neutral"): "train", ("ann", "happy"): "train", ("bob", "neutral"): "test"}


def _as_happy(emotion: Emotion) -> Emotion:
    return "neutral" if emotion == "neutral" else "happy"


def test_frame_maps_made_elsewhere_are_taken(collection: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    clips = csv_clips(collection[0])
    maps = tmp_path / "maps"
    maps.mkdir()
    np.save(maps / "ann_neutral_plain__sad.npy", np.arange(50))
    config = PairConfig(out=tmp_path / "out", by_label=True, alignments=maps)
    (job,) = (job for job in plan_pairs(clips, config)[0] if job.target.emotion == "sad")
    assert "dropped" not in build_pair(job)
    np.testing.assert_array_equal(read_pairs(tmp_path / "out")[0].frame_map, np.arange(50))


@given(st.lists(st.integers(0, 2), min_size=1, max_size=20))
def test_alignments_read_alike_from_every_form(tmp_path_factory: pytest.TempPathFactory, steps: list[int]) -> None:
    folder, target = tmp_path_factory.mktemp("maps"), np.cumsum(steps)
    # A path meets each source frame once or several times; the first match counts.
    path = [(i, j) for i, j in enumerate(target) for j in range(j, j + 2)]
    np.save(folder / "map.npy", target)
    (folder / "path.json").write_text(json.dumps([[int(i), int(j)] for i, j in path]))
    np.savetxt(folder / "path.txt", np.array(path), fmt="%d")
    for file in folder.iterdir():
        np.testing.assert_array_equal(read_alignment(file), target)


def test_a_wrong_alignment_is_one_clear_line(tmp_path: Path) -> None:
    np.save(tmp_path / "back.npy", np.array([3, 2, 1]))
    (tmp_path / "words.txt").write_text("no numbers")
    for name in ("back.npy", "words.txt"):
        with pytest.raises(InputError, match=f"{name} is no alignment of frames") as caught:
            read_alignment(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_another_systems_frames_need_their_folder(
    collection: tuple[Path, np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for options in (["--editor", "frames"], ["--frames", str(tmp_path)]):
        assert main(["csv", str(collection[0]), str(tmp_path / "out"), *options]) == 2
        assert "go together" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,actor\nx.mp4,ann", "line 2 of .* has no emotion"),
        ("file,actor,emotion,sentence", "lists no clip"),
        ("file,actor,emotion,sentence,split\nx.mp4,ann,happy,one,dev", "line 2 of .* has the split 'dev'"),
    ],
)
def test_a_wrong_table_is_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "clips.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        csv_clips(tmp_path / "clips.csv")
