"""Runs inside a host's interpreter: executes Prepare Speech and Align Speech, and prints what they gave, as JSON.

Arguments: the host's folder, this repository, a base folder, the demo clip.
"""

from __future__ import annotations

import importlib
import json
import sys
from fractions import Fraction
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from host_definitions import load_pack


def raised_by(call, **inputs) -> str:
    try:
        call(**inputs)
    except Exception as error:
        return type(error).__name__ + ": " + str(error)
    return ""


def speech_facts(node, demo: str) -> dict:
    import torch
    from comfy_api.latest import InputImpl

    video = InputImpl.VideoFromFile(demo)
    speech, picture, summary = node.execute(sound=video).args
    stereo = {"waveform": torch.rand(1, 2, 48_000) * 0.1, "sample_rate": 48_000}
    second, other, _ = node.execute(sound=stereo).args
    empty = {"waveform": torch.zeros(1, 2, 0), "sample_rate": 48_000}
    return {
        "seconds": float(speech.duration),
        "summary": summary,
        "picture": list(picture.shape),
        "range": [float(picture.min()), float(picture.max())],
        "colours": len(torch.unique(other.reshape(-1, 3), dim=0)),
        "samples": len(second.samples),
        "silent": [list(map(str, node.execute(sound=sound).args[::2])) for sound in (None, empty)],
    }


def align_facts(node, demo: str) -> dict:
    import torch
    from comfy_api.latest import InputImpl, Types

    clip = InputImpl.VideoFromFile(demo)
    result = node.execute(first=clip, second=clip, features="mfcc", band=1.0)
    video, picture, frame_map, cost = result.args
    parts = video.get_components()
    source = clip.get_components()
    silent = InputImpl.VideoFromComponents(
        Types.VideoComponents(images=torch.rand(50, 8, 8, 3), audio=None, frame_rate=Fraction(25))
    )
    return {
        "identity": frame_map.target.tolist() == list(range(len(source.images))),
        "cost": cost,
        "picture": list(picture.shape),
        "frames": [len(parts.images), len(source.images)],
        "difference": float((parts.images - source.images).abs().mean()),
        "sound": parts.audio is not None,
        "shown": bool(result.ui),
        "mute": raised_by(node.execute, first=clip, second=silent, features="mel", band=0.0),
    }


if __name__ == "__main__":
    host_folder, repo, base = map(Path, sys.argv[1:4])
    demo = sys.argv[4]
    load_pack(host_folder, repo, base)
    prepare, align = (importlib.import_module(f"thfem_pack.nodes.{name}") for name in ("prepare_speech", "dtw_align"))
    facts = {"speech": speech_facts(prepare.PrepareSpeech, demo), "align": align_facts(align.DTWAlign, demo)}
    print(json.dumps(facts))
