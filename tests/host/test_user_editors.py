"""NED and SSERD in a host: their shipped workflows, with random files in the published layout."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from comfy_host import ComfyServer
from media_facts import Facts, facts
from ned_material import write_published_ned, write_published_sserd

SECONDS = 0.12


@pytest.fixture
def models(comfy: ComfyServer) -> Iterator[Path]:
    """A folder below the host's model folder that is gone afterwards."""
    folder = comfy.base / "models" / "thfem" / "user"
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


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
    name: str, write, models: Path, comfy: ComfyServer, clip: str, clip_facts: Facts, shipped, tmp_path: Path
) -> None:
    write(models)
    graph = shipped(name, clip)
    for each in graph.values():
        if each["class_type"] == "THFEM_LoadVideo":
            each["inputs"]["duration"] = SECONDS
    run = comfy.run(graph, timeout=600)
    assert run.outcome == "success", run.error
    (shown,) = run.files(next(key for key, each in graph.items() if each["class_type"] == "THFEM_SaveVideo"))
    result = facts(comfy.fetch(shown, tmp_path))
    count = round(SECONDS * result.rate)
    assert result.frames.shape == (count, *clip_facts.frames.shape[1:])
    difference = np.abs(result.frames.astype(int) - clip_facts.frames[:count]).max(axis=-1)
    assert ((difference > 40).mean(axis=(1, 2)) > 0.02).all(), "the face is drawn anew"
    assert np.percentile(difference, 5) < 8, "and nothing beside it: its crop fills most of this clip"


@pytest.mark.parametrize(("name", "file"), [("ned", "02_nets_finetuned.pth"), ("sserd", "sserd")])
def test_without_its_files_the_workflow_says_which(
    name: str, file: str, comfy: ComfyServer, clip: str, shipped
) -> None:
    graph = shipped(name, clip)
    run = comfy.run(graph)
    assert run.outcome != "success"
    assert file in run.error and "get it from" in run.error
    executed = {event["node"] for event in run.of("executed")}
    assert not any(graph[key]["class_type"] == "THFEM_SPFEMEdit" for key in executed if key in graph)
