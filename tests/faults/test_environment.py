"""Machines that lack what is usually there: a name for the user, a home, a folder for temporary files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parents[1] / "media")]

from media_material import make_video, smooth_rgb, tone  # noqa: E402

ROOT = Path(__file__).parents[2]
UNKNOWN_USER = """
import os, pwd
for name in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME"):
    os.environ.pop(name, None)
def getpwuid(number):
    raise KeyError(f"getpwuid(): uid not found: {number}")
pwd.getpwuid = getpwuid
"""
NO_TEMPORARY_FOLDER = """
import tempfile
tempfile._candidate_tempdir_list = lambda: ["/proc/none"]
"""
RUN = """
import json, sys
sys.path.insert(0, {root!r})
from thfem_core.__main__ import main
codes = []
for command in json.loads(sys.argv[1]):
    sys.argv = ["thfem", *command]
    codes.append(main())
import getpass
getpass.getuser()  # as PyTorch asks for its folders
print(json.dumps(codes))
"""


def exit_codes(preparation: str, *commands: list[str]) -> tuple[list[int], str]:
    """Run commands in one process that is prepared in some way: their exit codes, and standard error."""
    done = subprocess.run(
        [sys.executable, "-c", preparation + RUN.format(root=str(ROOT)), json.dumps(commands)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("environment") / "clip.mp4"
    return make_video(path, pictures=[smooth_rgb(64, 48)] * 4, sound=tone(0.16, 16_000))


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no numbers of users")
def test_a_user_without_name_and_home(clip: Path, tmp_path: Path):
    edit = ["edit", str(clip), "-o", str(tmp_path / "out.mp4"), "--emotion", "happy", "--talking-head", "none"]
    codes, lines = exit_codes(UNKNOWN_USER, ["models", "list"], edit)
    assert codes == [0, 0] and "Traceback" not in lines and (tmp_path / "out.mp4").is_file()


def test_no_folder_for_temporary_files_is_one_line(demo_clip: Path, tmp_path: Path):
    edit = ["edit", str(demo_clip), "-o", str(tmp_path / "out.mp4"), "--emotion", "happy", "--quiet"]
    codes, lines = exit_codes(NO_TEMPORARY_FOLDER, edit)
    assert codes == [3] and lines.count("\n") == 1 and "TMPDIR" in lines, lines
    assert list(tmp_path.iterdir()) == []
