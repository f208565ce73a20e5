"""Runs inside a host's interpreter: loads made-up and missing talking heads by the loader node, and prints what the
host did, as JSON.

Arguments: the host's folder, this repository, a base folder.
"""

from __future__ import annotations

import importlib
import json
import sys
import types
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).parents[1]))
from host_definitions import load_pack


class Heavy:
    """A back end with weights, made for the test."""

    drives = ("audio",)
    working_memory = 2**20

    def __init__(self, options, resources) -> None:
        self.folders, self.compiled = resources.folders, options.compiled
        dtype = torch.bfloat16 if options.precision == "bf16" else torch.float32
        self.networks = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.BatchNorm1d(64)).to(dtype).eval()


class Light:
    """A back end without any."""

    drives = ("audio",)

    def __init__(self, options, resources) -> None:
        pass


def register(heads, name: str, factory: type, options: type) -> None:
    """Add a back end whose folder is made up."""
    back_end = importlib.import_module("thfem_pack.thfem_core.registry").BackEnd
    module = types.ModuleType(f"{name}_folder.back_end")
    module.BACK_END, module.load = back_end(summary="Made up.", factory="back_end:load", options=options), factory
    sys.modules[module.__name__] = module
    heads.register(name, f"{name}_folder")


def raised_by(call, *arguments, **keywords) -> str:
    try:
        call(*arguments, **keywords)
    except BaseException as error:
        return type(error).__name__ + ": " + str(error)
    return ""


def facts(loader, heads, base: Path) -> dict:
    import comfy.model_management as memory

    core = "thfem_pack.thfem_core"
    register(heads, "heavy", Heavy, importlib.import_module(f"{core}.talking_head.eamm.back_end").EammOptions)
    register(heads, "light", Light, importlib.import_module(f"{core}.options").Options)
    asked = []
    load = memory.load_models_gpu
    memory.load_models_gpu = lambda models, **options: (asked.append(options), load(models, **options))
    output = loader.TalkingHeadLoader.execute("auto", talking_head="heavy", precision="bf16").result
    heavy, about = output
    head = loader.ready(heavy)
    loaded = [str(model.model.model.__class__.__name__) for model in memory.current_loaded_models]
    result = head.networks(torch.zeros(1, 64, dtype=torch.bfloat16, device=heavy.device))
    memory.unload_all_models()
    again = loader.ready(heavy)
    light = loader.load_in_host("light")
    return {
        "about": about,
        "folders": [str(Path(folder).relative_to(base)) for folder in head.folders],
        "devices": [str(parameter.device) for parameter in head.networks.parameters()][:1],
        "dtype": str(result.dtype),
        "asked": list(asked),
        "loaded": loaded,
        "loaded_again": len(memory.current_loaded_models),
        "same": again is head,
        "light": [light.patcher is None, loader.ready(light) is light.head],
        "kept": str(loader.load_in_host("heavy", device="keep loaded").patcher.offload_device),
        "auto": str(loader.load_in_host("heavy").head.networks[0].weight.dtype),
        "compiled": [
            head.compiled,
            loader.TalkingHeadLoader.execute("auto", talking_head="heavy", precision="fp32", compiled=True)
            .result[0]
            .head.compiled,
        ],
        "no_bf16": raised_by(loader.load_in_host, "light", {"precision": "bf16"}),
        "embedded_by_name": loader.drawing_head(heads.names()[0], {})[0]["talking_head"],
        "connected_wins": loader.drawing_head(heads.names()[0], {}, heavy)[0]["talking_head"] is head,
        "others_are_loaded": type(loader.drawing_head("heavy", {})[0]["talking_head"]).__name__,
        "missing": raised_by(loader.load_in_host, "eat"),
    }


if __name__ == "__main__":
    host, repo, base = map(Path, sys.argv[1:4])
    sys.modules["loader_facts"] = sys.modules["__main__"]
    load_pack(host, repo, base)
    import_module = importlib.import_module
    import_module("thfem_pack.nodes.host").register_model_folder()
    loader = import_module("thfem_pack.nodes.talking_head_loader")
    heads = import_module("thfem_pack.thfem_core.talking_head.head").talking_heads
    print(json.dumps(facts(loader, heads, base)))
