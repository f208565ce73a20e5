"""The evaluation recipe on a tiny data set in the layouts of MEAD and RAVDESS, and its tables on made-up results."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from thfem_core.errors import InputError, OutputError
from thfem_core.expression.request import EMOTIONS
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.sound import join_sound
from thfem_core.media.writer import write_video
from thfem_core.metrics.frechet import FeatureSpread
from training import evaluate
from training.data.layouts import mead_clips, ravdess_clips, read_dataset, thirty_per_emotion
from training.evaluate import main
from training.evaluation import jobs
from training.evaluation.cdrl import save_numbers
from training.evaluation.pairs import held_out_clips, make_pairs
from training.evaluation.results import AVERAGE, Results
from training.evaluation.study import QUESTIONS, make_items
from training.evaluation.systems import parse_system
from training.evaluation.tables import PaperNumbers, all_tables
from training.parallel import Workers

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def talking(demo_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight small frames of a talking face with sound."""
    path = tmp_path_factory.mktemp("clip") / "talking.mp4"
    video = FileVideo(demo_clip, duration=Fraction(8, 25))
    small = np.stack([cv2.resize(frame.rgb(), (160, 160), interpolation=cv2.INTER_AREA) for frame in video.frames()])
    clip = ArrayVideo(small, Fraction(25), sound=join_sound(video.sound_blocks()))
    write_video(clip.frames(), path, like=clip)
    return path


@pytest.fixture(scope="module")
def mead(talking: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of the paper's actors; three sentences per emotion, and files that must be ignored."""
    root = tmp_path_factory.mktemp("MEAD")
    for actor in ("M003", "W015"):
        for emotion in (*EMOTIONS, "contempt"):
            levels = ("level_1",) if emotion == "neutral" else ("level_1", "level_3")
            for level in levels:
                folder = root / actor / "video" / "front" / emotion / level
                folder.mkdir(parents=True)
                for sentence in ("001", "002", "003"):
                    (folder / f"{sentence}.mp4").hardlink_to(talking)
        sounds = root / actor / "audio" / "neutral" / "level_1"
        sounds.mkdir(parents=True)
        (sounds / "001.m4a").hardlink_to(talking)
    shutil.copytree(root / "M003" / "video" / "front", root / "M003" / "video" / "left_30")
    return root


def ravdess(root: Path) -> Path:
    """Two actors with every file of the speech part, plus song, video-only and calm files to ignore."""
    for actor in ("01", "07", "02"):
        folder = root / f"Actor_{actor}"
        folder.mkdir(parents=True)
        for emotion in range(1, 9):
            for intensity in (1, 2) if emotion > 1 else (1,):
                for statement in (1, 2):
                    for repetition in (1, 2):
                        for modality, channel in (("01", "01"), ("02", "01"), ("01", "02")):
                            fields = f"{modality}-{channel}-{emotion:02}-{intensity:02}-{statement:02}-{repetition:02}"
                            (folder / f"{fields}-{actor}.mp4").touch()
        (folder / "notes.mp4").touch()
    return root


def test_the_layout_of_mead(mead: Path) -> None:
    clips = mead_clips(mead)
    assert len(clips) == 2 * (3 + 6 * 6) and {clip.emotion for clip in clips} == set(EMOTIONS)
    first = next(clip for clip in clips if clip.name == "M003_neutral_level_1_001")
    assert first.sound is not None and first.sound.name == "001.m4a" and first.sentence == "001"
    assert sum(clip.sound is not None for clip in clips) == 2
    strongest = thirty_per_emotion(clips, 3)
    assert len(strongest) == 2 * 7 * 3
    assert {clip.video.parts[-2] for clip in strongest if clip.emotion == "angry"} == {"level_3"}


def test_the_layout_of_ravdess(tmp_path: Path) -> None:
    clips = ravdess_clips(ravdess(tmp_path))
    assert {clip.actor for clip in clips} == {"Actor_01", "Actor_02"}, "the paper takes actors 1 to 6"
    assert len(clips) == 2 * 28, "168 clips of six actors"
    assert all(clip.video.stem.split("-")[3] == ("01" if clip.emotion == "neutral" else "02") for clip in clips)


def test_folders_without_the_layout_are_explained(tmp_path: Path) -> None:
    for name, words in (("mead", "video/front"), ("ravdess", "Actor_NN"), ("other", "mead, ravdess")):
        with pytest.raises(InputError, match=words):
            read_dataset(name, tmp_path)


def test_pairs_within_and_across_people(mead: Path) -> None:
    clips = read_dataset("mead", mead)
    held_out = held_out_clips(clips)
    assert len(held_out) == 7 and {clip.emotion for clip in held_out} == set(EMOTIONS)
    assert held_out == held_out_clips(clips[::-1]), "the split must not depend on the order of files"
    for setting in ("intra", "cross"):
        pairs = make_pairs(clips, setting)
        assert [pair.emotion for pair in pairs] == list(EMOTIONS)
        assert all(pair.source.emotion == "neutral" and pair.source in held_out for pair in pairs)
        assert all((pair.source.actor == pair.reference.actor) == (setting == "intra") for pair in pairs)
        assert all(pair.source != pair.reference for pair in pairs)
    with pytest.raises(InputError, match="two actors"):
        make_pairs([clip for clip in clips if clip.actor == "M003"], "cross")


def test_systems_by_name(tmp_path: Path) -> None:
    both = parse_system("NED+EAT@20=frames:results/ned+eat@20")
    assert (both.name, both.editor, both.talking_head, both.window) == ("NED+EAT@20", "frames", "eat", 20)
    assert both.frames == Path("results/ned")
    plain = parse_system("mesh")
    assert (plain.name, plain.editor, plain.talking_head, plain.window, plain.by_label) == (
        "mesh",
        "mesh",
        None,
        5,
        False,
    )
    assert parse_system("x=mesh:label").by_label
    for text, words in (
        ("a=mash", "unknown editor .mash. .*mesh, frames, .*none"),
        ("a=mesh+eet", "unknown talking head"),
        ("a=frames", "only frames takes a folder"),
        ("a=mesh@five", "no number of frames"),
        ("a=mesh@0", "give 1 to"),
        ("frames:x/y", "write NAME="),
    ):
        with pytest.raises(InputError, match=words):
            parse_system(text)


def test_a_run_makes_measures_and_resumes(mead: Path, talking: Path, tmp_path: Path, capsys) -> None:
    out, foreign = tmp_path / "out", tmp_path / "other"
    (foreign / "intra").mkdir(parents=True)
    clips = read_dataset("mead", mead)
    source = make_pairs(clips, "intra")[0].source.name
    shutil.copyfile(talking, foreign / "intra" / f"{source}__neutral.mp4")
    command = ["run", "mead", str(mead), str(out), "--networks", "none", "--limit", "1", "--settings", "intra"]
    command += ["--systems", "copy=none", "ours=mesh:label", f"theirs=frames:{foreign}", "lost=frames:nowhere"]
    assert main(command) == 1
    assert "lost: there is no result nowhere/intra" in capsys.readouterr().err
    facts = json.loads((out / "copy" / "intra" / f"{source}__neutral.json").read_text())
    values = {v["key"]: v["value"] for v in facts["families"][0]["values"]}
    assert facts["emotion"] == "neutral" and values["lip_motion"] < 1.5 and values["outside"] < 3
    done = {path: path.stat().st_mtime_ns for path in out.glob("*/*/*")}
    assert {path.suffix for path in done} == {".mp4", ".json", ".npz"} and len(done) == 9
    assert main(command) == 1
    assert {path: path.stat().st_mtime_ns for path in out.glob("*/*/*")} == done, "finished jobs must not run again"
    assert main(["tables", "mead", str(out)]) == 0
    assert "| Intra-ID | copy |" in capsys.readouterr().out


def test_workers_share_the_jobs(mead: Path, tmp_path: Path) -> None:
    system, config = parse_system("copy=none"), jobs.JobConfig(out=tmp_path, networks="none")
    pairs = make_pairs(read_dataset("mead", mead), "cross")[:2]
    some = [jobs.Job(config=config, system=system, pair=pair) for pair in pairs]
    assert jobs.measure_all(some, Workers(processes=2)) == []
    assert jobs.open_jobs(some) == []


def made_up_result(out: Path, system: str, setting: str, emotion: str, *, official: bool, value: float) -> None:
    """A finished job: CSIM and LSE-D are ``value``, identity features as random as it."""
    folder = out / system / setting
    folder.mkdir(parents=True, exist_ok=True)
    families = [
        {
            "official": official,
            "values": [
                {"key": "identity", "network": "Id", "value": 0.5},
                {"key": "csim", "network": "Expr", "value": value},
                {"key": "lse_d", "network": "Sync", "value": 10 * value},
            ],
        },
        {"official": None, "values": [{"key": "aperture_r", "network": None, "value": value}]},
    ]
    facts = {"system": system, "setting": setting, "emotion": emotion, "families": families}
    facts |= {"source_clip": "source", "reference_clip": "reference"}
    (folder / f"source__{emotion}.json").write_text(json.dumps(facts))
    (folder / f"source__{emotion}.mp4").write_bytes(b"video")
    random = np.random.default_rng(EMOTIONS.index(emotion))
    spreads = {"output": random.normal(value, 1, (20, 4)), "reference": random.normal(0, 1, (20, 4))}
    arrays = {}
    for side, rows in spreads.items():
        spread = FeatureSpread.of(rows)
        arrays |= {f"Id|{side}|{part}": getattr(spread, part) for part in ("count", "mean", "factor")}
    np.savez(folder / f"source__{emotion}.npz", **arrays)


def all_results(out: Path, systems: dict[str, float], *, official: bool, settings=("intra", "cross")) -> Results:
    for system, value in systems.items():
        for setting in settings:
            for emotion in EMOTIONS:
                made_up_result(out, system, setting, emotion, official=official, value=value)
    return Results(out)


def test_numbers_of_a_test_set(tmp_path: Path) -> None:
    results = all_results(tmp_path, {"NED": 0.4, "NED+EAT": 0.8}, official=True)
    fad, lse_d, csim = results.columns()
    assert [c.label for c in (fad, lse_d, csim)] == ["FAD↓", "LSE-D↓", "CSIM↑"]
    assert results.number("NED", "intra", "sad", csim) == pytest.approx(0.4)
    assert results.number("NED", "cross", AVERAGE, lse_d) == pytest.approx(4.0)
    assert results.number("NED+EAT", "intra", AVERAGE, fad) > results.number("NED", "intra", AVERAGE, fad) > 0
    assert np.isnan(results.number("DSM", "intra", AVERAGE, fad))
    with pytest.raises(InputError, match="no finished result"):
        Results(tmp_path / "NED")


def test_tables_take_the_papers_form(tmp_path: Path) -> None:
    systems = {"NED": 0.4, "NED+EAT": 0.8, "NED+EAT@20": 0.7}
    tables = list(all_tables(all_results(tmp_path, systems, official=True), "mead"))
    titles = [table.title for table in tables]
    assert [t.split(" (")[0] for t in titles if "printed" not in t][:5] == [
        "Table 1",
        "Table 2",
        "Table 3",
        "Table 5",
        "Table 6",
    ]
    first = tables[0].markdown().splitlines()
    assert first[2].startswith("| Emotions | NED FAD↓ | NED LSE-D↓ | NED CSIM↑ | NED+EAT FAD↓ |")
    assert first[4].startswith("| Neutral |") and first[-1].startswith("| Avg. |")
    assert "0.400 (0.834)" in first[-1], "ours, and the paper's for a system of that name"
    by_window = next(table for table in tables if table.title == "Table 6 (MEAD)")
    assert by_window.rows[0][:2] == ("Intra-ID", "20 (NED+EAT)") and by_window.rows[0][4] == "0.700 (0.865)"
    for table in tables:
        rows = list(csv.reader(io.StringIO(table.csv())))
        assert len(rows) == len(table.rows) + 1 and len({len(row) for row in rows}) == 1
        latex = table.latex()
        assert latex.count(r"\\") == len(table.rows) + 1 + bool(table.groups) and "_" not in latex.replace(r"\_", "")
        assert latex.splitlines()[1].count("r", 16) >= 1


def test_clips_of_a_list_have_tables_without_the_papers_numbers(tmp_path: Path, capsys, monkeypatch) -> None:
    results = all_results(tmp_path, {"NED": 0.4, "mesh": 0.5}, official=True)
    by_emotion = {"By emotion (CSV, intra-identity)", "By emotion (CSV, cross-identity)"}
    tables = {table.title: table for table in all_tables(results, "csv")}
    assert set(tables) == by_emotion | {"Lips and picture, by the embedded face mesh"}
    for title in by_emotion:
        assert [row[0] for row in tables[title].rows] == [*(emotion.capitalize() for emotion in EMOTIONS), "Avg."]
        assert {row[3] for row in tables[title].rows} == {"0.400"}, "CSIM of NED"
    monkeypatch.setattr(Results, "columns", lambda self: ())  # with --networks none
    assert [table.title for table in all_tables(results, "csv")] == ["Lips and picture, by the embedded face mesh"]
    monkeypatch.undo()
    row = {"system": "NED", "setting": "intra", "emotion": "sad", "fad": 1.0, "lse_d": 2.0, "csim": 0.5}
    save_numbers(tmp_path, [row])
    assert main(["tables", "csv", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "| Neutral | " in shown and "| intra | NED | " in shown and "printed by" not in shown


def said(capsys: pytest.CaptureFixture[str], *command: object) -> str:
    """The one line of a command that is refused."""
    capsys.readouterr()
    assert main([str(word) for word in command]) in (InputError.exit_code, OutputError.exit_code)
    error = capsys.readouterr().err
    assert error.startswith("evaluate: ") and error.count("\n") == 1
    return error


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--limit", "0"], "--limit is 0; give 1 or more"),
        (["--limit", "-1"], "--limit is -1; give 1 or more"),
        (["--every", "0"], "--every is 0; give 1 or more"),
        (["--device", "gpu"], "unknown device 'gpu'"),
        (["--device", "cuda:99"], "device 'cuda:99' is not there"),
    ],
)
def test_flags_of_run_are_judged_before_anything_is_made(
    mead: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    assert message in said(capsys, "run", "mead", mead, tmp_path / "out", "--systems", "copy=none", *flags)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("below", [".", "more"])
def test_results_cannot_lie_at_or_under_a_file(mead: Path, tmp_path: Path, capsys, below: str) -> None:
    out = tmp_path / "file" / below
    (tmp_path / "file").touch()
    assert "file is a file; choose another" in said(capsys, "run", "mead", mead, out, "--systems", "copy=none")


def test_a_device_that_a_worker_lacks_fails_its_jobs_in_words(mead: Path, tmp_path: Path) -> None:
    config = jobs.JobConfig(out=tmp_path, networks="none", device="cuda:99")
    pair = make_pairs(read_dataset("mead", mead), "intra")[0]
    line = jobs.do_job(jobs.Job(config=config, system=parse_system("copy=none"), pair=pair))
    assert line.startswith("copy, intra, ") and "device 'cuda:99' is not there" in line
    assert not list(tmp_path.iterdir())


def test_the_other_protocol_needs_results(mead: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    assert "out holds no finished result" in said(capsys, "cdrl", "mead", mead, out)
    assert "unknown device 'gpu'" in said(capsys, "cdrl", "mead", mead, out, "--device", "gpu")
    assert "--seed is -1; give 0 or more" in said(capsys, "cdrl", "mead", mead, out, "--seed", -1)
    assert not out.exists()


def test_an_interrupted_run_ends_in_one_line(mead: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "measure_all", interrupted)
    assert main(["run", "mead", str(mead), str(tmp_path), "--systems", "copy=none"]) == 130
    assert capsys.readouterr().err == "evaluate: stopped; run the same command again to go on\n"


def test_stand_ins_are_labelled_and_never_beside_the_papers_numbers(tmp_path: Path) -> None:
    results = all_results(tmp_path, {"NED": 0.4}, official=False)
    assert [c.label for c in results.columns()] == ["FD [Id]↓", "LSE-D [Sync]↓", "CSIM [Expr]↑"]
    tables = [t for t in all_tables(results, "ravdess") if "printed" not in t.title]
    assert [t.title.split(" (")[0] for t in tables[:2]] == ["Table 9", "Table 10"]
    assert all("(" not in cell for table in tables for row in table.rows for cell in row)


def test_the_papers_tables_are_whole() -> None:
    paper = PaperNumbers()
    assert paper.number(1, "intra", "NED+EAT", AVERAGE, "fad") == 3.167
    assert paper.number(2, "cross", "DSM", "surprised", "csim") == 0.798
    assert paper.number(10, "cross", "NED+EAT", "angry", "lse_d") == 8.091
    for number, setting in ((1, "intra"), (2, "cross"), (3, "intra"), (3, "cross"), (9, "intra"), (10, "cross")):
        for by_emotion in paper.systems(number, setting).values():
            assert list(by_emotion) == [*EMOTIONS, AVERAGE]
            mean = np.mean([by_emotion[emotion]["csim"] for emotion in EMOTIONS])
            assert mean == pytest.approx(by_emotion[AVERAGE]["csim"], abs=0.03)


def test_table_7_stands_beside_the_papers(capsys) -> None:
    assert main(["complexity", "--systems", "mesh=mesh:label", "copy=mesh", "NED=none"]) == 0
    lines = capsys.readouterr().out.splitlines()
    mesh = next(line for line in lines if line.startswith("| mesh |"))
    assert float(mesh.split("|")[2]) == pytest.approx(1.8, abs=0.1), "millions of parameters of the face networks"
    assert "| NED | 0.00 (84.82) | 0.00 (320.92) | 1 |" in "\n".join(lines)
    assert sum("(paper)" in line for line in lines) == 6


@pytest.fixture
def study(tmp_path: Path) -> Path:
    out = tmp_path / "out"
    all_results(out, {"NED": 0.4, "NED+EAT": 0.8}, official=True, settings=("intra",))
    for name in ("source", "reference"):
        (tmp_path / f"{name}.mp4").write_bytes(name.encode())
    clips = {name: str(tmp_path / f"{name}.mp4") for name in ("source", "reference")}
    (out / "clips.json").write_text(json.dumps(clips))
    assert main(["study", str(out), str(tmp_path / "study"), "--pair", "NED", "NED+EAT"]) == 0
    return tmp_path / "study"


def test_the_study_is_blind_and_its_answers_become_table_4(study: Path, tmp_path: Path, capsys) -> None:
    page, key = (study / "index.html").read_text(), json.loads((study / "key.json").read_text())
    assert "NED" not in page and len(key) == 3 * 7
    assert {entry["question"] for entry in key} == set(QUESTIONS)
    assert all((study / "videos" / entry["video_a"]).is_file() for entry in key)
    rows = [
        {"participant": person, "item": e["name"], "left": "a", "chosen": "b" if e["question"] == "mouth" else "a"}
        for person in ("p", "q")
        for e in key
    ]
    answers = tmp_path / "answers.csv"
    with answers.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["participant", "item", "left", "chosen", "seconds"])
        writer.writeheader()
        writer.writerows([*rows, rows[0] | {"chosen": "b"}])
    capsys.readouterr()
    assert main(["ratings", str(study / "key.json"), str(answers)]) == 0
    shown = capsys.readouterr().out
    assert "2 participants, 42 answers" in shown
    assert "| Mouth shape similarity | 0 % (44 %) | 100 % (56 %) |" in shown


def test_answers_to_another_study_and_pairs_without_results_are_refused(study: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text("participant,item,left,chosen,seconds\np,elsewhere,a,a,1\n")
    assert main(["ratings", str(study / "key.json"), str(answers)]) == 2
    with pytest.raises(InputError, match="no result of the same clip"):
        make_items([], [("a", "b")])


@pytest.mark.parametrize("text", [None, b"{", b"[1]", b'[{"name": "x"}]', b"\xff\xfe\xfd"])
def test_a_key_that_is_none_is_refused(study: Path, tmp_path: Path, capsys, text: bytes | None) -> None:
    key = tmp_path / "other.json"
    if text is not None:
        key.write_bytes(text)
    assert "give the key.json that `python -m training.evaluate study` wrote" in said(capsys, "ratings", key, key)


@pytest.mark.parametrize("text", [None, b"\xff\xfe\xfd"])
def test_answers_that_are_none_are_refused(study: Path, tmp_path: Path, capsys, text: bytes | None) -> None:
    answers = tmp_path / "answers.csv"
    if text is not None:
        answers.write_bytes(text)
    assert "answers.csv" in (line := said(capsys, "ratings", study / "key.json", answers))
    assert "give the CSV files that participants of this study sent" in line


@pytest.mark.parametrize("text", ["{", "[]", '{"system": "NED"}'])
@pytest.mark.parametrize("name", ["clips.json", "NED/intra/source__sad.json"])
def test_a_study_of_damaged_results_is_refused(study: Path, tmp_path: Path, capsys, name: str, text: str) -> None:
    (tmp_path / "out" / name).write_text(text)
    line = said(capsys, "study", tmp_path / "out", tmp_path / "again", "--pair", "NED", "NED+EAT")
    assert "is damaged" in line and ".json" in line and not (tmp_path / "again").exists()


def test_a_study_needs_choices_and_a_place(study: Path, tmp_path: Path, capsys) -> None:
    command = ["study", tmp_path / "out", tmp_path / "again", "--pair", "NED", "NED+EAT"]
    assert "--per-emotion is 0; give 1 or more" in said(capsys, *command, "--per-emotion", 0)
    (tmp_path / "again").touch()
    assert "again is a file; choose another" in said(capsys, *command)


def test_a_browser_runs_the_study(study: Path, tmp_path: Path) -> None:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    page = study / "index.html"
    take_part = """<script>
      byId("who").value = "p"; begin();
      const first = order.map((entry) => entry.item.name + entry.left).join();
      while (answers.length < order.length) choose(answers.length % 2 ? "left" : "right");
      begin();
      const same = first === order.map((entry) => entry.item.name + entry.left).join();
      document.body.dataset.same = same; document.body.dataset.lefts = order.filter((e) => e.left === "a").length;
      const out = document.createElement("pre"); out.id = "csv"; out.textContent = csv(answers);
      document.body.append(out);
    </script></body>"""
    page.write_text(page.read_text().replace("</body>", take_part))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    try:
        done = subprocess.run(
            [*command, "--dump-dom", page.as_uri()], check=True, capture_output=True, text=True, timeout=90
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"this Chromium does not start: {error}")
    assert 'data-same="true"' in done.stdout
    assert 4 <= int(done.stdout.split('data-lefts="')[1].split('"')[0]) <= 17, "sides must be random"
    text = done.stdout.split('<pre id="csv">')[1].split("</pre>")[0]
    rows = list(csv.DictReader(io.StringIO(text.replace("&quot;", '"'))))
    assert {row["item"] for row in rows} == {e["name"] for e in json.loads((study / "key.json").read_text())}
    assert {row["chosen"] for row in rows} == {"a", "b"} and {row["participant"] for row in rows} == {"p"}
