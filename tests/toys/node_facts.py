"""Runs inside a host's interpreter: registers the toys, and prints what the nodes offer and do with them, as JSON.

Arguments: the host's folder, this repository, a base folder, a clip.
"""

from __future__ import annotations

import importlib
import json
import sys
from itertools import chain
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from host_definitions import load_pack


def inputs(node) -> dict:
    info = node.GET_NODE_INFO_V1()["input"]
    return dict(chain(info.get("required", {}).items(), info.get("optional", {}).items()))


def facts(nodes: dict, demo: str) -> dict:
    video = nodes["load"].video_from_file(demo, 0.0, 0.0)
    tracks = nodes["track"].TrackFaces.execute(video=video, order="size", max_faces=1, fps=25.0).args[0]
    edit = nodes["edit"].SPFEMEdit
    made = {node.define_schema().node_id: node for node in nodes["back_end_nodes"].back_end_nodes()}
    tint, square = made["THFEM_Editor_tint"], made["THFEM_TalkingHead_square"]
    options = tint.execute(brightness=120, corner="left").args[0]
    words = {"emotion": "happy", "strength": 1.0, "face": "largest", "curve": "0:1", "editor": "mesh"}
    regions = dict.fromkeys(("brows", "eyes", "cheeks", "mouth"), 1.0)
    tinted = edit.execute(video=video, tracks=tracks, **words, **regions, editor_options=options).args[0]
    head = square.execute(device="cpu", brightness=30, square_side=60).args[0]
    drawn = nodes["adjacent_frame"].AdjacentFrameTalkingHead.execute(
        video=tinted,
        tracks=tracks,
        face="largest",
        talking_head="mouth",
        drive="audio",
        window=5,
        window_source="previous",
        overlap=0,
        fps=25.0,
        model=head,
    )
    images = drawn.args[0].get_components().images * 255
    return {
        "edit": inputs(edit),
        "tint": inputs(tint),
        "square": inputs(square),
        "corner_drawn": float(images[:, 4:12, 4:12].mean()),
        "square_drawn": float(images[:, 330:340, 240:250].mean()),
    }


if __name__ == "__main__":
    host, repo, base = map(Path, sys.argv[1:4])
    demo = sys.argv[4]
    load_pack(host, repo, base)
    core = "thfem_pack.thfem_core"
    registries = {
        "expression.editor": ("editors", "tint", "toys.tinting_editor"),
        "talking_head.head": ("talking_heads", "square", "toys.square_head"),
    }
    for module, (registry, name, folder) in registries.items():
        getattr(importlib.import_module(f"{core}.{module}"), registry).register(name, folder)
    names = ("host", "load", "track", "edit", "back_end_nodes", "adjacent_frame")
    nodes = {name: importlib.import_module(f"thfem_pack.nodes.{name}") for name in names}
    # the toys import thfem_core by its own name, which in a host is a part of the pack
    for name, module in list(sys.modules.items()):
        if name.startswith(core):
            sys.modules[name.removeprefix("thfem_pack.")] = module
    sys.path.append(str(Path(__file__).parents[1]))  # again: loading a pack takes the first place of the path
    nodes["host"].register_model_folder()
    print(json.dumps(facts(nodes, demo)))
