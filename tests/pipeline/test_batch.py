"""Folders of clips."""

from __future__ import annotations

import csv
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from thfem_core.errors import InputError, OutputError
from thfem_core.expression.request import ExpressionRequest
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.writer import write_video
from thfem_core.pipeline import EditConfig
from thfem_core.pipeline.batch import COLUMNS, REPORT, BatchItem, clips_in, edit_folder, result_paths

CPU = torch.device("cpu")
HAPPY = EditConfig(request=ExpressionRequest(emotion="happy"), talking_head=None)


@pytest.fixture
def folder(demo_clip: Path, tmp_path: Path) -> Path:
    """A good clip, one without a face, a broken one, and what is no clip."""
    folder = tmp_path / "clips"
    folder.mkdir()
    source = FileVideo(demo_clip, duration=Fraction(6, 25))
    write_video(source.frames(), folder / "b good.mp4", like=source)
    shutil.copy(folder / "b good.mp4", folder / "B good.avi")
    gray = ArrayVideo(np.full((3, 64, 64, 3), 99, np.uint8), Fraction(25))
    write_video(gray.frames(), folder / "c gray.mkv", like=gray)
    (folder / "a broken.mp4").write_bytes(b"this is no clip")
    (folder / "notes.txt").write_text("not a clip")
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_goes_on_after_a_fault_and_tells_what_happened(folder: Path, tmp_path: Path) -> None:
    output, told = tmp_path / "new" / "edited", list[BatchItem]()
    items = edit_folder(folder, output, HAPPY, device=CPU, tell=told.append)
    assert told == items
    assert [(item.clip.name, item.result) for item in items] == [
        ("a broken.mp4", "failed"),
        ("B good.avi", "edited"),
        ("b good.mp4", "edited"),
        ("c gray.mkv", "nothing edited"),
    ]
    names = {"B good.avi.mp4", "b good.mp4", "c gray.mkv", REPORT}  # no two alike where capitals do not count
    assert {file.name for file in output.iterdir()} == names
    table = rows(output / REPORT)
    assert list(table[0]) == list(COLUMNS)
    assert "not a media file" in table[0]["error"] and table[0]["output"] == ""
    assert (table[2]["frames"], table[2]["edited"], table[2]["sound"]) == ("6", "6", "copied")
    assert table[2]["in_front"] == "0"
    assert table[3]["passed_through"] == "no face: 0-2"
    assert "failed" in items[0].line and "6 of 6 frames edited" in items[1].line


def test_a_clip_keeps_its_own_name_and_no_two_results_are_alike(tmp_path: Path) -> None:
    for name in ("x.avi", "x.avi.mp4", "x.mp4", "x.wmv", "y.avi", "._x.mp4"):
        (tmp_path / name).touch()
    clips = clips_in(tmp_path)
    results = result_paths(clips, tmp_path / "out")
    assert {clip.name: result.name for clip, result in zip(clips, results, strict=True)} == {
        "x.avi": "x.avi_.mp4",
        "x.avi.mp4": "x.avi.mp4",
        "x.mp4": "x.mp4",
        "x.wmv": "x.wmv.mp4",
        "y.avi": "y.mp4",
    }


def test_results_that_are_there_can_be_kept(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / "c gray.mkv").write_bytes(b"kept")
    (folder / "a broken.mp4").unlink()
    (folder / "B good.avi").unlink()
    items = edit_folder(folder, output, HAPPY, device=CPU, skip_existing=True)
    assert [item.result for item in items] == ["edited", "skipped"]
    assert (output / "c gray.mkv").read_bytes() == b"kept"
    first, kept = rows(output / REPORT)
    assert (kept["result"], kept["output"], kept["frames"]) == ("skipped", "c gray.mkv", "")
    edit_folder(folder, output, HAPPY, device=CPU, skip_existing=True)
    again, _ = rows(output / REPORT)
    assert again == first | {"result": "skipped"}, "what an earlier run did is still there"


def test_a_cancelled_run_ends_with_what_is_done(folder: Path, tmp_path: Path) -> None:
    class Cancelled(Exception):
        pass

    def cancel(stage: str, done: int, total: int | None) -> None:
        if stage.startswith("Writing") and done > 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        edit_folder(folder, tmp_path / "out", HAPPY, device=CPU, progress=cancel, stops=(Cancelled,))
    assert [row["result"] for row in rows(tmp_path / "out" / REPORT)] == ["failed"]
    assert {file.name for file in (tmp_path / "out").iterdir()} == {REPORT}


def test_folders_that_cannot_be(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="would replace the clips"):
        edit_folder(folder, folder / ".." / folder.name, HAPPY, device=CPU)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no clip in"):
        clips_in(tmp_path / "empty")
    with pytest.raises(InputError, match="cannot be read as a folder"):
        clips_in(folder / "notes.txt")
    with pytest.raises(OutputError, match="cannot write"):
        edit_folder(folder, folder / "notes.txt" / "out", HAPPY, device=CPU)
