"""A second of the demo clip, an output folder, and a way to run the command inside the test process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from thfem_core.cli.main import main
from thfem_core.media.file_video import FileVideo
from thfem_core.media.writer import write_video


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def error_lines(self) -> list[str]:
        return self.err.strip().splitlines()


@pytest.fixture(scope="session")
def short_clip(demo_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 frames of a talking face with sound."""
    path = tmp_path_factory.mktemp("clips") / "short.mp4"
    clip = FileVideo(demo_clip, duration=Fraction(12, 25))
    write_video(clip.frames(), path, like=clip)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where outputs go; must be empty after a failure."""
    path = tmp_path / "out"
    path.mkdir()
    return path


@pytest.fixture
def thfem(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """``thfem("edit", clip, "-o", out)``: exit code and everything printed, by libraries too."""

    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as exit:
            code = int(exit.code or 0)
        return Outcome(code, *capfd.readouterr())

    return run
