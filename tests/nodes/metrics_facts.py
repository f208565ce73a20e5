"""Runs inside a host's interpreter: executes Metrics and Compare Videos, and prints what they gave, as JSON.

Arguments: the host's folder, this repository, a base folder, the demo clip.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from host_definitions import load_pack


def raised_by(call, **inputs) -> str:
    try:
        call(**inputs)
    except Exception as error:
        return type(error).__name__ + ": " + str(error)
    return ""


def metrics_facts(node, images) -> dict:
    import torch

    result = node.execute(
        source=images, output=images, target_emotion="happy", networks="none", every=5, fps=25.0, ground_truth=images
    )
    table, plots, verdict = result.args
    blank = torch.full_like(images, 0.5)
    settings = {"target_emotion": "none", "networks": "none", "every": 5, "fps": 25.0}
    return {
        "table": table,
        "plots": list(plots.shape),
        "verdict": [list(verdict.shape), float(verdict.std())],
        "ui": {key: len(value) for key, value in result.ui.items()},
        "shown_text": result.ui["text"][0] == table,
        "no_face": raised_by(node.execute, source=blank, output=images, **settings),
        "official": raised_by(node.execute, source=images, output=images, **(settings | {"networks": "every"})),
    }


def compare_facts(node, demo: str, images) -> dict:
    from comfy_api.latest import InputImpl

    video = InputImpl.VideoFromFile(demo)
    result = node.execute(first=video, second=video, layout="side by side", fps=25.0)
    both, whole = result.args[0].get_components(), video.get_components()
    width = whole.images.shape[2]
    halves = both.images[:, :, :width], both.images[:, :, width:]
    from_images = node.execute(first=images, second=images[:, :100], layout="wipe", fps=25.0).args[0]
    return {
        "frames": [len(both.images), len(whole.images)],
        "size": list(both.images.shape[1:3]),
        "errors": [float((half - whole.images).abs().mean()) for half in halves],
        "sound": both.audio is not None,
        "shown": list(result.ui.as_dict()),
        "images": list(from_images.get_components().images.shape),
    }


if __name__ == "__main__":
    host_folder, repo, base = map(Path, sys.argv[1:4])
    demo = sys.argv[4]
    load_pack(host_folder, repo, base)
    import torch
    from comfy_api.latest import InputImpl

    clip = InputImpl.VideoFromFile(demo).get_components().images[:14]
    images = torch.nn.functional.interpolate(clip.movedim(-1, 1), size=(256, 256), mode="area").movedim(1, -1)
    importlib.import_module("thfem_pack.nodes.host").register_model_folder()
    metrics, compare = (importlib.import_module(f"thfem_pack.nodes.{name}") for name in ("metrics", "compare_videos"))
    print(
        json.dumps(
            {
                "metrics": metrics_facts(metrics.Metrics, images),
                "compare": compare_facts(compare.CompareVideos, demo, images),
            }
        )
    )
