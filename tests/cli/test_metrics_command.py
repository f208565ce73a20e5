"""The command prints a table, writes JSON and a report, and explains what it cannot use in one line."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest

from thfem_core.weights.store import FOLDERS_VARIABLE


@pytest.fixture(autouse=True)
def _no_models(monkeypatch, tmp_path):
    """Networks that happen to lie on this machine must not change what is tested."""
    monkeypatch.setenv(FOLDERS_VARIABLE, "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def test_a_copy_in_numbers(thfem, short_clip, folder):
    outcome = thfem(
        *("metrics", short_clip, short_clip, "--networks", "none", "--target-emotion", "happy"),
        *("--json", folder / "m.json", "--report", folder / "report", "--ground-truth", short_clip),
    )
    assert outcome.code == 0, outcome.err
    assert "short.mp4 against short.mp4, 12 frames" in outcome.out and "mouth closures kept" in outcome.out
    assert "Note: 12 frames are too few to correlate the lips" in outcome.out
    values = {v["key"]: v["value"] for v in json.loads((folder / "m.json").read_text())["families"][0]["values"]}
    assert values["lip_motion"] == pytest.approx(0, abs=1e-4) and values["psnr"] == 100 and values["outside"] == 0
    assert {path.name for path in folder.iterdir()} == {"m.json", "report"}
    assert (folder / "report" / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_missing_networks_are_named_and_official_ones_explained(thfem, short_clip, folder):
    outcome = thfem("metrics", short_clip, short_clip)
    assert outcome.code == 0 and "left out, their files are not on this machine: arcface, efficientface" in outcome.err
    assert len(outcome.error_lines) == 1 and "Networks of the papers" not in outcome.out
    (folder / "ms1mv3_arcface_r50_fp16.pth").write_bytes(b"no checkpoint")
    outcome = thfem("metrics", short_clip, short_clip, "--models", folder)
    assert outcome.code == 4 and len(outcome.error_lines) == 1 and "ms1mv3_arcface_r50_fp16.pth" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--target-emotion", "hapy"], 2, "neutral"),
        (["--networks", "all"], 2, "official"),
        (["--every", "0"], 2, "1 or more"),
        (["--reference", "missing.mp4"], 2, "missing.mp4"),
        (["--json", "no/such/m.json"], 3, "no folder"),
        (["--report", "no/such/report"], 3, "no folder"),
        (["--device", "cuda:99"], 2, "--device cpu"),
    ],
)
def test_bad_arguments(arguments, code, words, thfem, short_clip, folder, monkeypatch):
    monkeypatch.chdir(folder)
    outcome = thfem("metrics", short_clip, short_clip, *arguments)
    assert outcome.code == code and len(outcome.error_lines) == 1 and words in outcome.err
    assert not list(folder.iterdir())


def test_a_clip_without_a_face(thfem, short_clip, folder, tmp_path):
    blank = tmp_path / "blank.mp4"
    with av.open(str(blank), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 96
        for _ in range(6):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((96, 96, 3), 90, np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    outcome = thfem("metrics", blank, short_clip, "--networks", "none", "--json", folder / "m.json")
    assert outcome.code == 2 and "no face found in blank.mp4" in outcome.err and len(outcome.error_lines) == 1
    assert not list(folder.iterdir())
    outcome = thfem("metrics", short_clip, blank, "--networks", "none")
    assert outcome.code == 0 and "Note: no face found in blank.mp4" in outcome.out
