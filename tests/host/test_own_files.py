"""Talking heads whose official files a user places: first missing, then there, in the layout they are published in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from comfy_host import ComfyServer
from media_facts import facts

from thfem_core.talking_head.eamm.networks import CHECKPOINT_NETWORKS
from thfem_core.weights.convert import convert_files

SECONDS = 0.24


@pytest.fixture
def eamm(comfy: ComfyServer, tmp_path: Path) -> Iterator[None]:
    """EAMM with random weights: a published checkpoint, converted into the host's model folder."""
    torch.manual_seed(0)
    checkpoint, converted = tmp_path / "eamm.pth.tar", comfy.base / "models" / "thfem" / "eamm.safetensors"
    networks = {name: make().state_dict() for name, make in CHECKPOINT_NETWORKS.items()}
    torch.save({**networks, "optimizer_generator": {"state": {}, "param_groups": []}, "epoch": 1}, checkpoint)
    converted.parent.mkdir(exist_ok=True)
    card = convert_files("eamm", [checkpoint], converted)
    checkpoint.unlink()
    yield
    converted.unlink()
    card.unlink()


def short(graph: dict[str, dict]) -> dict[str, dict]:
    for each in graph.values():
        if each["class_type"] == "THFEM_LoadVideo":
            each["inputs"]["duration"] = SECONDS
    return graph


@pytest.mark.parametrize(
    ("name", "file", "terms"),
    [
        ("eat", "eat.safetensors", "licence CC BY-NC 4.0, not for commercial use"),
        ("eamm", "eamm.safetensors", "licence MIT, commercial use allowed"),
    ],
)
def test_missing_files_are_named_with_folder_link_and_licence(name, file, terms, comfy, clip, shipped):
    run = comfy.run(short(shipped(name, clip)))
    assert run.status == "execution_error"
    assert "\n" not in run.error
    for fact in (file, str(comfy.base / "models" / "thfem"), "https://github.com/", terms):
        assert fact in run.error
    assert comfy.alive


def test_the_shipped_workflow_draws_with_the_users_files(eamm, comfy, clip, clip_facts, shipped, tmp_path):
    graph = short(shipped("eamm", clip))
    run = comfy.run(graph)
    assert run.outcome == "success"
    (save,) = (key for key, node in graph.items() if node["class_type"] == "THFEM_SaveVideo")
    (shown,) = run.files(save)
    result = facts(comfy.fetch(shown, tmp_path))
    assert result.frames.shape[1:] == clip_facts.frames.shape[1:]
    assert len(result.frames) == round(SECONDS * result.rate)
