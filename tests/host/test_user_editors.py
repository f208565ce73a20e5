"""NED and SSERD in a host: their shipped workflows, with random files in the published layout."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from comfy_host import ComfyServer
from media_facts import Facts, facts
from ned_material import write_published_ned, write_published_sserd

SECONDS = 0.12


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("ned", write_published_ned),
        pytest.param(
            "sserd",
            write_published_sserd,
            marks=pytest.mark.skipif("THFEM_FULL_SIZE" not in os.environ, reason="341 M parameters: THFEM_FULL_SIZE=1"),
        ),
    ],
)
def test_the_shipped_workflow_draws(
    name: str, write, comfy: ComfyServer, clip: str, clip_facts: Facts, shipped, tmp_path: Path
) -> None:
    folder = comfy.base / "models" / "thfem"
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())
    write(folder)
    graph = shipped(name, clip)
    for each in graph.values():
        if each["class_type"] == "THFEM_LoadVideo":
            each["inputs"]["duration"] = SECONDS
    try:
        run = comfy.run(graph, timeout=600)
    finally:
        for path in set(folder.iterdir()) - before:
            path.unlink()
    assert run.outcome == "success", run.error
    (shown,) = run.files(next(key for key, each in graph.items() if each["class_type"] == "THFEM_SaveVideo"))
    result = facts(comfy.fetch(shown, tmp_path))
    count = round(SECONDS * result.rate)
    assert result.frames.shape == (count, *clip_facts.frames.shape[1:])
    difference = np.abs(result.frames.astype(int) - clip_facts.frames[:count]).max(axis=-1)
    assert ((difference > 40).mean(axis=(1, 2)) > 0.02).all(), "the face is drawn anew"
    assert np.percentile(difference, 5) < 8, "and nothing beside it: its crop fills most of this clip"


@pytest.mark.parametrize(("name", "file"), [("ned", "02_nets_finetuned.pth"), ("sserd", "sserd")])
def test_without_its_files_the_workflow_is_refused_and_says_which(
    name: str, file: str, comfy: ComfyServer, clip: str, shipped
) -> None:
    with pytest.raises(AssertionError, match=f"{file}.* get it from http"):
        comfy.run(shipped(name, clip))
