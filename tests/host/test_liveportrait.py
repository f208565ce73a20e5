"""LivePortrait in a host: its shipped workflow, with random files in the published layout, smaller than those."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from comfy_host import ComfyServer
from liveportrait_material import write_liveportrait
from media_facts import Facts, facts
from pctalk_material import write_pctalk

SECONDS = 0.2


@pytest.fixture
def files(comfy: ComfyServer) -> Iterator[Path]:
    """The original .pth files in the host's model folder."""
    folder = comfy.base / "models" / "thfem" / "liveportrait"
    written = write_liveportrait(folder, layout="original_pth")
    yield folder
    for path in (*written.values(), *folder.parent.glob("*.pth")):
        path.unlink()


def test_the_shipped_workflow_draws(
    files: Path, comfy: ComfyServer, clip: str, clip_facts: Facts, shipped, tmp_path: Path
) -> None:
    graph = shipped("liveportrait", clip)
    for each in graph.values():
        if each["class_type"] == "THFEM_LoadVideo":
            each["inputs"]["duration"] = SECONDS
        if each["class_type"] == "THFEM_Editor_liveportrait":
            # what random weights draw differs little from frame to edit, and much from the face
            each["inputs"] |= {"self_test": True, "pasting": "plain"}
    about = next(key for key, each in graph.items() if each["class_type"] == "THFEM_Editor_liveportrait")
    graph["90"] = {"class_type": "PreviewAny", "inputs": {"source": [about, 1]}}
    run = comfy.run(graph, timeout=600)
    assert run.outcome == "success", run.error
    (shown,) = run.files(next(key for key, each in graph.items() if each["class_type"] == "THFEM_SaveVideo"))
    result = facts(comfy.fetch(shown, tmp_path))
    count = round(SECONDS * result.rate)
    assert result.frames.shape == (count, *clip_facts.frames.shape[1:])
    difference = np.abs(result.frames.astype(int) - clip_facts.frames[:count]).max(axis=-1)
    assert ((difference > 40).mean(axis=(1, 2)) > 0.02).all(), "the face is drawn anew"
    assert np.percentile(difference, 5) < 8, "and nothing beside it: its crop fills most of this clip"
    history = comfy.history(run)
    told = str(history["outputs"]["90"])
    assert "self-test" in told and "WRONG: these files do not draw people" in told and "liveportrait on cpu" in told


def test_lips_from_sound_in_the_same_picture(files: Path, comfy: ComfyServer, clip: str, shipped) -> None:
    """PC-Talk's files beside LivePortrait's: the editor's node draws the lips, and the editing node says so."""
    write_pctalk(files.parent)
    graph = shipped("liveportrait", clip)
    for each in graph.values():
        if each["class_type"] == "THFEM_LoadVideo":
            each["inputs"]["duration"] = SECONDS
        if each["class_type"] == "THFEM_Editor_liveportrait":
            each["inputs"] |= {"lips": "sound", "pasting": "plain"}
    run = comfy.run(graph, timeout=600)
    assert run.outcome == "success", run.error
    told = str(comfy.history(run)["outputs"])
    assert "lips drawn by the sound, with the expression" in told
