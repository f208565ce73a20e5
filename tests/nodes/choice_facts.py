"""Runs inside a host's interpreter: what nodes make of a chosen back end, with and without dynamic inputs."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from host_definitions import load_pack


def raised_by(function, *arguments) -> str:
    try:
        function(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def facts() -> dict:
    from comfy_api.latest import _io, io

    choices = importlib.import_module("thfem_pack.nodes.back_end_choice")
    editors = importlib.import_module("thfem_pack.thfem_core.expression.editor").editors
    heads = importlib.import_module("thfem_pack.thfem_core.talking_head.head").talking_heads
    editor = choices.BackEndChoice("editor", editors, purpose="How")
    lips = choices.BackEndChoice("talking_head", heads, purpose="Lips", none="left.", default="none", common_only=True)
    node = SimpleNamespace(hidden=SimpleNamespace(unique_id="7", prompt={"7": {"inputs": {"talking_head": "lost"}}}))
    free = SimpleNamespace(hidden=SimpleNamespace(unique_id="7", prompt={"7": {"inputs": {}}}))
    nested = {"editor": "mesh", "texture": 0.5, "spectacles": "auto", "folds": None}
    found = {
        "dynamic": hasattr(io, "DynamicCombo"),
        "type": editor.input().get_io_type(),
        "word": editor.chosen(free, {"editor": "sserd"}),
        "nested": editor.chosen(free, {"editor": nested}),
        "absent": lips.chosen(free, {}),
        "unknown": [
            raised_by(editor.chosen, free, {}),
            raised_by(lips.chosen, node, {}),
            raised_by(editor.chosen, free, {"editor": "lost"}),
        ],
    }
    if found["dynamic"]:
        options = editor.input().as_dict()["options"]
        found["shown"] = {each["key"]: list(each["inputs"].get("optional", {})) for each in options}
        heads_shown = {
            each["key"]: list(each["inputs"].get("optional", {})) for each in lips.input().as_dict()["options"]
        }
        found["common"] = heads_shown
        found["required"] = [name for each in options for name in each["inputs"]["required"]]
        schema = {"required": {"editor": (editor.input().get_io_type(), editor.input().as_dict())}}
        asked = {"editor": "mesh", "editor.texture": 0.5}
        _, _, v3 = _io.get_finalized_class_inputs(schema, asked)
        found["arrives"] = _io.build_nested_inputs(asked, v3)["editor"]
        del io.DynamicCombo  # as in older hosts
    found["plain"] = [editor.input().get_io_type(), editor.input().as_dict()["options"]]
    return found


if __name__ == "__main__":
    host, repo, base = map(Path, sys.argv[1:4])
    load_pack(host, repo, base)
    print(json.dumps(facts()))
