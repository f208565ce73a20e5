"""A process that edits clip after clip, as a ComfyUI host does all day, does not grow."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from thfem_core.media.file_video import FileVideo
from thfem_core.media.writer import write_video

EDITS = """
import sys
from thfem_core.cli.main import main
from thfem_core.face.mediapipe import models

loads = []
load_networks = models.load_networks
models.load_networks = lambda: loads.append(1) or load_networks()

def anonymous_mb():
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(status["RssAnon"].split()[0]) / 1024

clip, output = sys.argv[1:]
sizes = []
for _ in range(25):
    assert main(["edit", clip, "--emotion", "happy", "--output", output]) == 0
    sizes.append(anonymous_mb())
print(len(loads), *sizes)
"""
WARM_UP = 5  # allocators and thread pools reach their size
ALLOWED_MB = 50


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="reads memory from Linux' /proc")
def test_twenty_edits_in_a_row_do_not_grow(demo_clip: Path, tmp_path: Path) -> None:
    """A leak of one recorded network per edit would be 250 MB; what the allocator keeps varies by up to 20."""
    clip = FileVideo(demo_clip, duration=Fraction(1, 25))
    write_video(clip.frames(), tmp_path / "clip.mp4", like=clip)
    arguments = [str(tmp_path / "clip.mp4"), str(tmp_path / "out.mp4")]
    done = subprocess.run([sys.executable, "-c", EDITS, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    loads, *sizes = map(float, done.stdout.splitlines()[-1].split())
    assert loads == 1  # a second run does not pay for loading
    before, after = sizes[WARM_UP - 1], min(sizes[-3:])
    assert after - before < ALLOWED_MB, sizes
