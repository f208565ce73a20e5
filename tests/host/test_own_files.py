"""Talking heads whose official files a user places: first missing, then there, in the layout they are published in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from comfy_host import ComfyServer
from media_facts import Facts, facts

SECONDS = 0.24
EAT_SECONDS = 0.08  # each frame costs seven seconds of CPU


def linked(comfy: ComfyServer, folder: Path) -> Iterator[None]:
    """The files of ``folder`` in the host's model folder."""
    models = comfy.base / "models" / "thfem"
    models.mkdir(exist_ok=True)
    links = [models / file.name for file in folder.iterdir()]
    for link in links:
        link.symlink_to(folder / link.name)
    yield
    for link in links:
        link.unlink()


@pytest.fixture
def eamm(comfy: ComfyServer, converted_eamm: Path) -> Iterator[None]:
    yield from linked(comfy, converted_eamm)


@pytest.fixture
def eat(comfy: ComfyServer, published_eat: Path) -> Iterator[None]:
    yield from linked(comfy, published_eat)


def short(graph: dict[str, dict], seconds: float = SECONDS) -> dict[str, dict]:
    for each in graph.values():
        if each["class_type"] == "THFEM_LoadVideo":
            each["inputs"]["duration"] = seconds
    return graph


@pytest.mark.parametrize(
    ("name", "file", "terms"),
    [
        ("eat", "eat.safetensors", "licence CC BY-NC 4.0, not for commercial use"),
        ("eamm", "eamm.safetensors", "licence MIT, commercial use allowed"),
    ],
)
def test_missing_files_are_named_before_any_work_with_folder_link_and_licence(name, file, terms, comfy, clip, shipped):
    answer = comfy.refusal(short(shipped(name, clip)))
    (told,) = {each["details"] for errors in answer["node_errors"].values() for each in errors["errors"]}
    assert "\n" not in told
    for fact in (file, str(comfy.base / "models" / "thfem"), "https://github.com/", terms):
        assert fact in told
    assert comfy.alive


def drawn(comfy: ComfyServer, graph: dict[str, dict], folder: Path) -> Facts:
    """The saved result of a graph that must succeed."""
    run = comfy.run(graph, timeout=900)
    assert run.outcome == "success"
    (save,) = (key for key, node in graph.items() if node["class_type"] == "THFEM_SaveVideo")
    (shown,) = run.files(save)
    return facts(comfy.fetch(shown, folder))


@pytest.mark.parametrize(("name", "seconds"), [("eamm", SECONDS), ("eat", EAT_SECONDS)])
def test_the_shipped_workflow_draws_with_the_users_files(
    name, seconds, request, comfy, clip, clip_facts, shipped, tmp_path
):
    """Random weights paint the face in loud colours or grey, and nothing beside it."""
    request.getfixturevalue(name)
    result = drawn(comfy, short(shipped(name, clip), seconds), tmp_path)
    count = round(seconds * result.rate)
    assert result.frames.shape == (count, *clip_facts.frames.shape[1:])
    difference = np.abs(result.frames.astype(int) - clip_facts.frames[:count]).max(axis=-1)
    assert ((difference > 40).mean(axis=(1, 2)) > 0.02).all()
    assert np.median(difference) < 8
