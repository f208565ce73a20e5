"""Pairs of an edited clip and the real clip of the same words: right, resumable, listed, looked at."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import alignment
from tests.training.made_pairs import speech_and_pictures, warped, write_clip_with_sound
from thfem_core.errors import InputError, OutputError, WeightsError
from thfem_core.expression.request import Emotion
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis
from training.build_pairs import main
from training.config import DataConfig, LoopConfig
from training.data.clips import load_clips
from training.data.layouts import csv_clips
from training.data.pair_alignment import read_alignment
from training.data.pair_files import read_pairs
from training.data.pair_plan import PairConfig, plan_pairs
from training.data.pairs import _aligned, _make, build_pair
from training.stages.renderer import RendererStageConfig, window_tensors

HEADER = "file,actor,emotion,sentence"


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
    for name, text in (
        ("words.txt", "no numbers"),
        ("table.json", '{"a": 1}'),
        ("half.json", "[0, 0.5]"),
        ("empty.npy", ""),
        ("nan.txt", "0\nnan"),
        ("empty.txt", ""),
    ):
        (tmp_path / name).write_text(text)
    for path in tmp_path.iterdir():
        with pytest.raises(InputError, match=f"{path.name} is no alignment of frames") as caught:
            read_alignment(path)
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
        ("file,actor,emotion,sentence\nx.mp4,ann", "line 2 of .* has no emotion"),
        ("file,actor,emotion,sentence", "lists no clip"),
        ("", "lists no clip"),
        ("File,actor\nx.mp4,ann", "has no column file, emotion, sentence; its first line is 'File,actor'"),
        (f"{HEADER}\na/x.mp4,ann,happy,one\n\nb/x.mp4,ann,happy,two", "line 4 of .* and line 2 .* called ann_happy_x"),
        (f"{HEADER}\nx.mp4,../../M,happy,one", "line 2 of .*'../../M_happy_x' cannot be a file name"),
        (f"{HEADER}\nx.mp4,a\u2028b,happy,one", "line 2 of .* cannot be a file name"),
        (f"{HEADER}\nx.mp4,.ann,happy,one", "line 2 of .* cannot be a file name"),
        (f"{HEADER}\nx\0.mp4,ann,happy,one", "clips.csv is damaged .*NUL.*; give a table in UTF-8"),
        (f"{HEADER}\n{'x' * 140000},ann,happy,one", "clips.csv is damaged .*field"),
        (f"{HEADER}\nx.mp4,Zo\udce9,happy,one", "clips.csv is damaged .*decode.*; give a table in UTF-8"),
        ("file,actor,emotion,sentence,split\nx.mp4,ann,happy,one,dev", "line 2 of .* has the split 'dev'"),
    ],
)
def test_a_wrong_table_is_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "clips.csv").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(InputError, match=words) as caught:
        csv_clips(tmp_path / "clips.csv")
    assert "\n" not in str(caught.value)


def test_a_table_of_excel_is_read(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text(f"{HEADER}\r\nx.mp4,Zoé,happy,one\r\n", encoding="utf-8-sig", newline="")
    assert [clip.name for clip in csv_clips(tmp_path / "clips.csv")] == ["Zoé_happy_x"]


def test_the_benchmark_names_a_missing_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["alignment", str(tmp_path / "nope.csv")])
    assert alignment.main() == 2
    assert capsys.readouterr().err.startswith("error: there is no ")


def write_table(folder: Path, *rows: str) -> Path:
    (folder / "clips.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return folder / "clips.csv"


@pytest.mark.parametrize(
    ("options", "words", "code"),
    [
        (["--max-cost", "nan"], "--max-cost is nan", 2),
        (["--max-cost", "-5"], "--max-cost is -5", 2),
        (["--alignments", "{folder}/nope"], "--alignments: there is no folder", 2),
        (["--alignments", "{folder}/clips.csv"], "--alignments: there is no folder", 2),
        (["--editor", "frames", "--frames", "{folder}/nope"], "--frames: there is no folder", 2),
        (["--device", "gpu"], "unknown device 'gpu'", 2),
        (["--device", "cuda:77"], "device 'cuda:77' is not there", 2),
        (["--editor", "ned"], "ned-", WeightsError.exit_code),
        (["--ray", "127.0.0.1:1"], "no Ray cluster answers at 127.0.0.1:1", 2),
    ],
)
def test_what_every_pair_needs_is_checked_before_any_work(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    words: str,
    code: int,
) -> None:
    monkeypatch.delenv("THFEM_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if "--ray" in options:
        pytest.importorskip("ray")
    table = write_table(tmp_path, "plain.mp4,ann,neutral,orbit")
    assert main(["csv", str(table), str(tmp_path / "out"), *(o.format(folder=tmp_path) for o in options)]) == code
    error = capsys.readouterr().err
    assert error.startswith(f"error: {words}") and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_without_a_neutral_clip_there_is_nothing_to_edit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_table(tmp_path, "smiling.mp4,ann,happy,orbit")
    assert main(["csv", str(table), str(tmp_path / "out")]) == 2
    assert "none of the 1 clips is neutral" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["taken", "taken/out"])
def test_an_output_that_cannot_be_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str) -> None:
    table = write_table(tmp_path, "plain.mp4,ann,neutral,orbit")
    (tmp_path / "taken").write_text("a file")
    assert main(["csv", str(table), str(tmp_path / place)]) == OutputError.exit_code
    error = capsys.readouterr().err
    assert error.startswith(f"error: cannot write to the folder {tmp_path / place}: ") and error.count("\n") == 1


def test_what_can_be_mended_is_not_remembered(
    collection: tuple[Path, np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, out = write_table(tmp_path, "plain.mp4,ann,neutral,orbit"), tmp_path / "out"
    (tmp_path / "plain.mp4").write_text("no video")
    assert main(["csv", str(table), str(out), "--by-label"]) == 1
    said = capsys.readouterr()
    assert "dropped 1: plain.mp4 cannot be opened" in said.err and said.out.startswith("0 pairs, 1 dropped")
    assert {path.name for path in out.iterdir()} == {"manifest.json", "index.html"}
    shutil.copy(collection[0].with_name("plain.mp4"), tmp_path)
    assert main(["csv", str(table), str(out), "--by-label"]) == 0
    assert capsys.readouterr().err == "" and len(read_pairs(out)) == 1


def test_a_verdict_on_the_words_is_remembered_as_long_as_it_holds(
    collection: tuple[Path, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("training.data.pairs._make", lambda job, folder: asked.append(job.name) or _make(job, folder))
    shutil.copytree(collection[0].parent, tmp_path / "clips")

    def judge(**settings: Any) -> str:
        config = PairConfig(out=tmp_path / "out", by_label=True, **settings)
        jobs, _ = plan_pairs(csv_clips(tmp_path / "clips" / "clips.csv"), config)
        return build_pair(next(job for job in jobs if job.target.emotion == "sad"))["dropped"]

    first = judge()
    assert "other words" in first and judge() == first and len(asked) == 1
    assert "more than 100" in judge(max_cost=100.0) and len(asked) == 2
    (tmp_path / "clips" / "noise.mp4").touch()
    assert "more than 100" in judge(max_cost=100.0) and len(asked) == 3
    (tmp_path / "clips" / "noise.mp4").unlink()
    assert "there is no file" in judge(max_cost=100.0)
    assert not list((tmp_path / "out" / "dropped").iterdir())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--editor", "frames", "--frames", "{clips}"],
            "with editor mesh, by_label True, frames None, not editor frames",
        ),
        ([], "with by_label True, not by_label False; give another OUT"),
        (["--by-label", "--search"], "with search False, not search True; give another OUT"),
        (["--by-label", "--alignments", "{clips}"], "with alignments None, not alignments "),
        (["--by-label", "--max-cost", "1"], "cost more than 1 per step, such as ann_neutral_plain__happy"),
    ],
)
def test_other_settings_need_another_folder(
    built: Path,
    collection: tuple[Path, np.ndarray],
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    words: str,
) -> None:
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*")}
    given = [option.format(clips=collection[0].parent) for option in options]
    assert main(["csv", str(collection[0]), str(built), *given]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert {path: path.stat().st_mtime_ns for path in built.rglob("*")} == before


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("pair.json", b"{", "pair.json is damaged"),
        ("pair.json", b"{}", "pair.json is damaged .'name'.; delete its folder"),
        ("pair.npz", b"PK no archive", "pair.npz is damaged"),
        ("edited.mp4", b"no video", "ann_neutral_plain__happy/edited.mp4 is damaged .*; delete its folder"),
    ],
)
def test_a_damaged_pair_names_its_file(
    built: Path, collection: tuple[Path, np.ndarray], tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    out = tmp_path / "out"
    shutil.copytree(built / "ann_neutral_plain__happy", out / "ann_neutral_plain__happy")
    (out / "ann_neutral_plain__happy" / name).write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_pairs(out)
    assert "\n" not in str(caught.value)
    if name == "pair.json":
        assert main(["csv", str(collection[0]), str(out), "--by-label"]) == 2


def test_a_short_clip_of_a_pair_is_damaged(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built / "ann_neutral_plain__happy", tmp_path / "pair")
    (pair,) = read_pairs(tmp_path)
    with pytest.raises(InputError, match=r"target.mp4 has 50 frames, not 51; delete its folder"):
        replace(pair, frame_map=np.arange(51)).pictures("target")


def test_a_stop_is_one_line_and_leaves_nothing_half_done(
    collection: tuple[Path, np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: object) -> None:
        (tmp_path / "out" / ".of_a_killed_worker.part").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr("training.data.pairs._make", interrupted)
    assert main(["csv", str(collection[0]), str(tmp_path / "out"), "--by-label"]) == 130
    assert capsys.readouterr().err.endswith("stopped; run the same command again to go on\n")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("error", "code"),
    [(WeightsError("the weights are gone"), 4), (OSError(28, "No space left on device", "pair.npz"), 3)],
)
def test_what_stops_every_pair_stops_the_command(
    collection: tuple[Path, np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    code: int,
) -> None:
    tried = []

    def fail(job: object, folder: Path) -> None:
        tried.append(job)
        raise error

    monkeypatch.setattr("training.data.pairs._make", fail)
    assert main(["csv", str(collection[0]), str(tmp_path / "out"), "--by-label"]) == code
    assert len(tried) == 1 and capsys.readouterr().err.startswith("error: ")
    assert not list((tmp_path / "out").iterdir())
