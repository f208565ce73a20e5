"""Ctrl-C and SIGTERM, sent to a real process while it writes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]


def default_signals() -> None:
    """A test run in the background may have been told to ignore Ctrl-C, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "cancelled"), (signal.SIGTERM, 143, "terminated")]
)
def test_signals_end_in_one_line_and_leave_nothing(number, code, word, demo_clip, tmp_path):
    output = tmp_path / "o.mp4"
    command = [sys.executable, "-m", "thfem_core", "edit", str(demo_clip), "-o", str(output), "--emotion", "sad"]
    process = subprocess.Popen(
        command, cwd=REPO, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=default_signals
    )
    try:
        deadline = time.monotonic() + 120
        while not any(path.stat().st_size for path in tmp_path.iterdir()):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "never began to write"
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == code, err
    assert out == ""
    assert len(err.strip().splitlines()) == 1 and word in err
    assert not list(tmp_path.iterdir())
