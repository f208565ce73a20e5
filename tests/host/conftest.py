"""Graphs and files for the runs in a real host."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path

import pytest
from comfy_host import REPO, ComfyServer
from media_facts import Facts, facts, write_plain_clip


@pytest.fixture(scope="session")
def clip(comfy: ComfyServer, talking_clip: Path) -> str:
    """The talking clip in the host's input folder, by name."""
    shutil.copyfile(talking_clip, comfy.base / "input" / "talking.mp4")
    return "talking.mp4"


@pytest.fixture(scope="session")
def clip_facts(talking_clip: Path) -> Facts:
    return facts(talking_clip)


@pytest.fixture(scope="session")
def plain_clip(comfy: ComfyServer) -> str:
    """A clip without any face, and without sound."""
    write_plain_clip(comfy.base / "input" / "plain.mp4")
    return "plain.mp4"


@pytest.fixture(scope="session")
def shipped():
    """The API twin of a shipped workflow, with another input file."""

    def load(name: str, file: str) -> dict[str, dict]:
        """``name`` is the title, or a word of it that no other title has, in any case."""
        titles = {path.stem: path for path in (REPO / "workflows" / "api").glob("*.json")}
        (title,) = [name] if name in titles else [each for each in titles if name in each.lower().split()]
        graph = json.loads(titles[title].read_text(encoding="utf-8"))
        graph = copy.deepcopy(graph)
        for each in graph.values():
            if name_of_file := {"THFEM_LoadVideo": "file", "THFEM_LoadAudio": "audio"}.get(each["class_type"]):
                each["inputs"][name_of_file] = file
        return graph

    return load
