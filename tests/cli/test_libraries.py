"""What loading the libraries of a command leaves behind, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SHOWN = """
import gc, json, os
from thfem_core.cli.libraries import load_libraries
load_libraries()
import cv2
frozen = gc.get_freeze_count()
load_libraries()  # a second call changes nothing
blas = os.environ["OPENBLAS_NUM_THREADS"]
print(json.dumps([frozen, gc.get_freeze_count(), gc.isenabled(), cv2.getNumThreads(), blas]))
"""


@pytest.mark.parametrize("chosen", [None, "3"])
def test_the_collector_skips_the_libraries_and_their_threads_stay_out_of_the_way(chosen: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    if chosen is not None:
        environment["OPENBLAS_NUM_THREADS"] = chosen
    run = subprocess.run([sys.executable, "-c", SHOWN], env=environment, check=True, capture_output=True, text=True)
    frozen, after_second, collects, opencv, blas = json.loads(run.stdout)
    assert frozen == after_second > 50_000
    assert collects
    assert opencv == 1
    assert blas == (chosen or "1")
