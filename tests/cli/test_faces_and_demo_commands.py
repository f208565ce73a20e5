from __future__ import annotations

import cv2
import numpy as np

from thfem_core.cli import demo
from thfem_core.media.file_video import FileVideo


def test_faces_writes_a_numbered_picture(thfem, short_clip, folder):
    output = folder / "faces.png"
    outcome = thfem("faces", short_clip, "-o", output)
    assert outcome.code == 0, outcome.err
    assert "1 face in 1 shot, 1 chosen" in outcome.out
    picture = cv2.imread(str(output))
    plain = cv2.cvtColor(next(iter(FileVideo(short_clip).frames())).rgb(), cv2.COLOR_RGB2BGR)
    assert picture.shape == plain.shape
    assert np.any(np.abs(picture.astype(int) - plain) > 100), "no face is marked"
    assert list(folder.iterdir()) == [output]


def test_demo_writes_source_results_and_a_picture(thfem, short_clip, folder, monkeypatch):
    monkeypatch.setattr(demo, "DEMO_CLIP", short_clip)
    outcome = thfem("demo", "-o", folder / "new", "--emotion", "happy", "angry")
    assert outcome.code == 0, outcome.err
    names = {path.name for path in (folder / "new").iterdir()}
    assert names == {"demo_source.mp4", "demo_happy.mp4", "demo_angry.mp4", "demo.jpg"}
    rows = cv2.imread(str(folder / "new" / "demo.jpg")).shape[0] // 300
    assert rows == 3


def test_the_shipped_clip_is_small_and_complete(demo_clip):
    assert demo_clip.stat().st_size < 1_500_000
    info = FileVideo(demo_clip).info
    assert (info.width, info.height, info.frame_rate, info.has_sound) == (512, 512, 25, True)
    assert sum(1 for _ in FileVideo(demo_clip).frames()) == info.frame_count


def test_the_demo_reports_an_unwritable_folder(thfem, folder):
    (folder / "file").touch()
    outcome = thfem("demo", "-o", folder / "file" / "x")
    assert outcome.code == 3
    assert len(outcome.error_lines) == 1
