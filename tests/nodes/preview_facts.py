"""Runs inside a host's interpreter: executes Expression Preview and the nodes that take its expression, and prints what
they gave, as JSON.

Arguments: the host's folder, this repository, a base folder, the demo clip.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from host_definitions import load_pack

WIDGETS = {
    "moment": 0.5,
    "preset": "none",
    "show": "before and after",
    "emotion": "happy",
    "strength": 1.0,
    "brows": 1.0,
    "eyes": 1.0,
    "cheeks": 1.0,
    "mouth": 1.0,
    "curve": "0:1",
    "face": "largest",
    "editor": "mesh",
    "talking_head": "none",
}


def raised_by(call, **inputs) -> str:
    try:
        call(**inputs)
    except Exception as error:
        return type(error).__name__ + ": " + str(error)
    return ""


def preview_facts(node, video, images, tracks) -> dict:
    import folder_paths

    def seen(**changes):
        return node.execute(video=changes.pop("video", video), **(WIDGETS | changes))

    result = seen()
    request, picture, edited = result.args
    width = picture.shape[2] // 2
    sheet = seen(show="five strengths").args[1]
    preset = seen(preset="warm-smile", strength=0.5).args[0]
    saved = seen(save_as="mine", strength=0.7)
    names = importlib.import_module("thfem_pack.nodes.expression_files")
    exact = seen(tracks=tracks)
    return {
        "request": [request.emotion, request.strength],
        "sizes": [list(each.shape) for each in (picture, edited)],
        "changed": float((picture[:, :, :width] - picture[:, :, width:]).abs().mean()),
        "text": result.ui["text"][0],
        "exact_text": exact.ui["text"][0],
        "exact_near": float((exact.args[2] - edited).abs().mean()),
        "shown": len(result.ui["images"]),
        "sheet": list(sheet.shape),
        "preset": [preset.emotion, preset.strength],
        "saved": [saved.args[0].strength, "mine" in names.expression_names(), names.named_expression("mine").strength],
        "saved_file": str(names.preset_file("mine")).startswith(folder_paths.get_user_directory()),
        "bad_name": raised_by(seen, save_as="../up"),
        "shipped_name": raised_by(seen, save_as="warm-smile"),
        "from_images": list(seen(video=images).args[1].shape),
        "no_face": seen(video=images * 0).ui["text"][0],
        "drawn": drawn_facts(seen),
        "fingerprints": node.fingerprint_inputs(**WIDGETS) != node.fingerprint_inputs(**WIDGETS | {"preset": "mine"}),
    }


def drawn_facts(seen) -> list | None:
    """Strength at the beginning, in the middle and at the end of a drawn curve; None where the host draws none."""
    from comfy_api.latest import io

    if not hasattr(io, "Curve"):
        return None
    flat = {"points": [[0, 1], [1, 1]], "interpolation": "linear"}
    rising = {"points": [[0, 0], [1, 1]], "interpolation": "linear"}
    unchanged, curve = (seen(strength_over_clip=each).args[0].curve for each in (flat, rising))
    return [unchanged.text, *(curve.at(seconds) for seconds in (0.0, 2.52, 5.04))]


def taken_facts(nodes, images, tracks, request) -> dict:
    edit = nodes("edit").SPFEMEditImages.execute
    inputs = {"emotion": "angry", "strength": 0.2, "editor": "mesh", "fps": 25.0, "face": "largest", "curve": "0:1"}
    inputs |= dict.fromkeys(("brows", "eyes", "cheeks", "mouth"), 1.0)
    by_expression = edit(images=images, tracks=tracks, expression=request, **inputs)
    by_widgets = edit(images=images, tracks=tracks, **(inputs | {"emotion": "happy", "strength": 1.0}))
    node = nodes("expression_preview").ExpressionPreview
    seen = node.execute(video=images, tracks=tracks, **(WIDGETS | {"moment": 1.0})).args[2]
    return {
        "same_edit": float((by_expression.args[0] - by_widgets.args[0]).abs().max()),
        "text": by_expression.ui.as_dict()["text"][0],
        # IMAGE keeps floats, the preview is of 8 bits
        "as_seen": float((by_expression.args[0][-1] - seen[0]).abs().max()),
    }


def notice_facts(nodes, images) -> dict:
    """What reaches a server that stands for the host's."""
    from types import SimpleNamespace

    sent: list = []
    server = SimpleNamespace(
        client_id="me",
        send_sync=lambda event, payload, sid: sent.append([event, payload, sid]),
        send_progress_text=lambda text, node, sid: sent.append(["text", text, node]),
    )
    notices = nodes("notices")
    notices.notify("info", "nobody", "hears it")
    before = notices.running_node()
    sys.modules["server"] = SimpleNamespace(PromptServer=SimpleNamespace(instance=server))
    try:
        from comfy_execution.utils import CurrentNodeContext

        with CurrentNodeContext("prompt", "7", 0):
            faces = nodes("track").TrackFaces.execute(video=images * 0, order="size", max_faces=1, fps=25.0).args[0]
            inputs = {"emotion": "happy", "strength": 1.0, "editor": "mesh", "fps": 25.0, "face": "largest"}
            inputs |= dict.fromkeys(("brows", "eyes", "cheeks", "mouth"), 1.0)
            result = nodes("edit").SPFEMEditImages.execute(images=images * 0, tracks=faces, curve="", **inputs)
        old_server = SimpleNamespace(client_id=None, send_sync=server.send_sync)
        sys.modules["server"].PromptServer.instance = old_server
        notices.show_stage("an old host has no such text")
    finally:
        del sys.modules["server"]
    return {"before": before, "sent": sent, "text": result.ui.as_dict()["text"][0]}


def main(host: Path, repo: Path, base: Path, demo: str) -> None:
    load_pack(host, repo, base)

    def nodes(name: str):
        return importlib.import_module(f"thfem_pack.nodes.{name}")

    from comfy_api.latest import InputImpl

    nodes("host").register_model_folder()
    video = InputImpl.VideoFromFile(demo)
    images = video.get_components().images[:12].clone()
    track = nodes("track").TrackFaces.execute
    tracks = track(video=video, order="size", max_faces=2, fps=25.0).args[0]
    few = track(video=images, order="size", max_faces=2, fps=25.0).args[0]
    preview = preview_facts(nodes("expression_preview").ExpressionPreview, video, images, tracks)
    request = nodes("expression_preview").ExpressionPreview.execute(video=images, **WIDGETS).args[0]
    print(
        json.dumps(
            {
                "preview": preview,
                "taken": taken_facts(nodes, images, few, request),
                "notices": notice_facts(nodes, images),
            }
        )
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), sys.argv[4])
