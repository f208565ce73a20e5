from __future__ import annotations

import shutil


def test_a_folder_with_a_fault(thfem, short_clip, folder, tmp_path):
    clips = tmp_path / "clips"
    clips.mkdir()
    shutil.copy(short_clip, clips / "one.mp4")
    (clips / "two.mp4").write_bytes(b"no clip")
    output = folder / "edited"
    outcome = thfem("batch", clips, "-o", output, "--expression", "beaming", "--talking-head", "none")
    assert outcome.code == 1
    fault, end = outcome.error_lines
    assert fault.startswith("thfem: two.mp4: failed: ") and "1 of 2 clips failed" in end
    assert "one.mp4: edited: 12 of 12 frames edited" in outcome.out
    assert {file.name for file in output.iterdir()} == {"one.mp4", "report.csv"}
    (clips / "two.mp4").unlink()
    outcome = thfem("batch", clips, "-o", output, "--expression", "beaming", "--skip-existing")
    assert outcome.code == 0 and "one.mp4: skipped" in outcome.out
    assert thfem("batch", clips, "-o", output).code == 2  # no expression
