"""Signals, standard streams and leftovers, of the command line as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from thfem_core.media.atomic import complete_file

ROOT = Path(__file__).parents[2]
SLOW = """
import signal, sys, threading, time
from thfem_core.cli import main as commands
def slow(args):
    from thfem_core.media.atomic import complete_file
    with complete_file(sys.argv[-1]) as path:
        try:
            print("ready", flush=True)
            time.sleep(60)
        finally:
            print("stopping", flush=True)
            time.sleep(0.5)
commands.edit.run = slow
from thfem_core.__main__ import main
sys.argv = ["thfem", "edit", "in.mp4", "-o", sys.argv[-1]]
sys.exit(main())
"""


def usual_signals() -> None:
    """What a terminal gives a program: tests that run in the background inherit that some signals are ignored."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_DFL)


def start(output: Path) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(output)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=usual_signals,
    )
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_gives_its_code_one_line_and_nothing_left(name, code, tmp_path):
    process = start(tmp_path / "out.mp4")
    process.send_signal(getattr(signal, name))
    assert process.stdout.readline() == "stopping\n"
    process.send_signal(getattr(signal, name))  # a second one does not break off the clean-up
    _, lines = process.communicate(timeout=20)
    assert process.returncode == code and lines.count("\n") == 1 and "no unfinished output is left" in lines
    assert list(tmp_path.iterdir()) == []


def test_a_signal_while_importing_gives_its_code(tmp_path):
    (tmp_path / "argparse.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-m", "thfem_core", "models"], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 143 and done.stderr.count("\n") == 1


@pytest.mark.parametrize("closed", ["1", "2"])
def test_a_closed_stream_is_no_fault(closed):
    command = f'"{sys.executable}" -m thfem_core models list {closed}>&-'
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "Traceback" not in done.stderr


def test_a_full_output_is_one_line():
    command = f'"{sys.executable}" -m thfem_core models list >/dev/full'
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 3 and done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_every_character_can_be_printed(encoding):
    done = subprocess.run(
        [sys.executable, "-m", "thfem_core", "edit", "né ☺.mp4", "-o", "x.mp4", "--emotion", "happy"],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        cwd=ROOT,
        capture_output=True,
    )
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1 and b"Traceback" not in done.stderr


def test_what_killed_runs_left_is_removed_and_only_that(tmp_path):
    stale, young = tmp_path / ".a.thfem-0123abcd.mp4", tmp_path / ".b.thfem-0123abcd.mp4"
    others = tmp_path / ".a.0123abcd.mp4"
    for path in (stale, young, others):
        path.write_bytes(b"x")
    for path in (stale, others):
        os.utime(path, (time.time() - 7200,) * 2)
    with complete_file(tmp_path / "new.mp4") as path:
        path.write_bytes(b"y")
    assert sorted(path.name for path in tmp_path.iterdir()) == [others.name, young.name, "new.mp4"]
