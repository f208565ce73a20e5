"""``edit`` with EAT and EAMM, from files that the user placed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from thfem_core.media.file_video import FileVideo
from thfem_core.media.writer import write_video


@pytest.fixture(scope="module")
def one_frame(demo_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """EAT needs seven seconds of CPU for each."""
    path = tmp_path_factory.mktemp("one") / "one.mp4"
    clip = FileVideo(demo_clip, duration=Fraction(1, 25))
    write_video(clip.frames(), path, like=clip)
    return path


@pytest.mark.parametrize(("name", "files"), [("eamm", "converted_eamm"), ("eat", "published_eat")])
def test_the_command_draws_with_the_users_files(name, files, request, thfem, one_frame, folder, monkeypatch):
    """Random weights paint the face in loud colours or grey, and nothing beside it."""
    monkeypatch.setenv("THFEM_MODELS", str(request.getfixturevalue(files)))
    output = folder / "o.mp4"
    options = ("--emotion", "happy", "--talking-head", name, "--device", "cpu")
    outcome = thfem("edit", one_frame, "-o", output, *options)
    assert outcome.code == 0, outcome.err
    assert "1 of 1 frames edited; sound: copied; lips drawn in 1 (drive audio)" in outcome.out
    before, after = (np.stack([frame.rgb() for frame in FileVideo(path).frames()]) for path in (one_frame, output))
    difference = np.abs(after.astype(int) - before).max(axis=-1)
    assert ((difference > 40).mean(axis=(1, 2)) > 0.02).all()
    assert np.median(difference) < 8
