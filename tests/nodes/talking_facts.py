"""Runs inside a host's interpreter: executes Read Head Poses and Redraw Lips (with a fake that paints
squares in the place of the back end), and prints what they gave, as JSON.

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

BOX = (200, 300, 300, 380)
INSIDE = (340, 250)
WIDGETS = {
    "face": "largest",
    "talking_head": "mouth",
    "drive": "blend",
    "window": 3,
    "window_source": "previous",
    "overlap": 0,
    "fps": 25.0,
}


def raised_by(call, **inputs) -> str:
    try:
        call(**inputs)
    except Exception as error:
        return type(error).__name__ + ": " + str(error)
    return ""


class Fakes:
    """Makes heads that paint (20 · source, 20 · target, 7), and remembers them."""

    def __init__(self, head_module) -> None:
        self.patch, self.heads = head_module.FacePatch, []

    def __call__(self, **options):
        import numpy as np

        fakes = self

        class Session:
            lookahead = 1

            def observe(self, frame) -> None:
                pass

            def predict(self, windows):
                return [[fakes.painted(w.source, target, np) for target in w.targets] for w in windows]

        class Head:
            drives = ("audio", "original", "blend")

            def open_face(self, clip):
                self.clip = clip
                return Session()

        self.heads.append(Head())
        return self.heads[-1]

    def painted(self, source, target, np):
        from thfem_pack.thfem_core.media.frame import Box

        box = Box(*BOX)
        rgb = np.full((box.height, box.width, 3), (20 * source.index, 20 * target.index, 7), np.uint8)
        return self.patch(box=box, rgb=rgb, alpha=np.ones(rgb.shape[:2], np.float32))


def seen(output) -> dict:
    """What is painted in each frame of the VIDEO a node gave, and its sound."""
    parts = output.args[0].get_components()
    inside = (parts.images[:, INSIDE[0], INSIDE[1]] * 255).round().int().tolist()
    audio = parts.audio
    seconds = None if audio is None else audio["waveform"].shape[-1] / audio["sample_rate"]
    return {"inside": inside, "seconds": seconds, "rate": str(Fraction(parts.frame_rate)), "ui": bool(output.ui)}


def facts(nodes: dict, fakes: Fakes, demo: str) -> dict:
    import torch
    from comfy_api.latest import InputImpl, Types

    clip = nodes["load"].video_from_file(demo, 1.0, 0.24)
    track, node = nodes["track"].TrackFaces.execute, nodes["adjacent_frame"].AdjacentFrameTalkingHead.execute
    tracks = track(video=clip, order="size", max_faces=2, fps=25.0).args[0]
    poses, summary = nodes["pose_encode"].PoseEncode.execute(tracks=tracks, encoder="mesh").args
    speech = nodes["prepare_speech"].PrepareSpeech.execute(sound=clip).args[0]
    found = {"summary": summary, "poses": len(poses.poses)}

    found["stages"] = seen(node(video=clip, tracks=tracks, poses=poses, speech=speech, **WIDGETS))
    opened = fakes.heads[-1].clip
    found["stages"] |= {
        "poses_given": opened.poses is poses.poses[0],
        "speech_given": opened.speech is speech,
        "drive": opened.drive,
    }
    found["alone"] = seen(node(video=clip, tracks=tracks, **{**WIDGETS, "overlap": 1, "window_source": "first"}))
    found["alone"]["speech_seconds"] = float(fakes.heads[-1].clip.speech.duration)

    noise = {"waveform": 0.1 * torch.randn(1, 2, 48_000), "sample_rate": 48_000}
    found["dubbed"] = seen(node(video=clip, tracks=tracks, speech=noise, **{**WIDGETS, "drive": "audio"}))

    images = clip.get_components().images
    silent = InputImpl.VideoFromComponents(Types.VideoComponents(images=images, audio=None, frame_rate=Fraction(25)))
    found["silent"] = seen(node(video=silent, tracks=tracks, **WIDGETS))
    found["silent"]["drive"] = fakes.heads[-1].clip.drive
    found["silent_audio"] = raised_by(node, video=silent, tracks=tracks, **{**WIDGETS, "drive": "audio"})

    still = images[:1]
    face = track(video=still, order="size", max_faces=2, fps=25.0).args[0]
    short = {"waveform": noise["waveform"][..., :19_200], "sample_rate": 48_000}
    portrait_poses = nodes["pose_encode"].PoseEncode.execute(tracks=face, encoder="mesh").args[0]
    found["portrait"] = seen(
        node(video=still, tracks=face, poses=portrait_poses, speech=short, **{**WIDGETS, "fps": 29.97})
    )
    opened = fakes.heads[-1].clip
    pose = opened.poses.read(0, 12)
    found["portrait"] |= {"drive": opened.drive, "pose_rests": bool((pose.rotation == pose.rotation[:1]).all())}
    found["portrait_window"] = seen(node(video=still, tracks=face, speech=speech, **WIDGETS))

    found["errors"] = [
        raised_by(node, video=still, tracks=face, **WIDGETS),
        raised_by(node, video=clip, tracks=tracks, poses=portrait_poses, **WIDGETS),
        raised_by(node, video=clip, tracks=tracks, **{**WIDGETS, "overlap": 3}),
        raised_by(node, video=clip, tracks=tracks, **{**WIDGETS, "face": "left"}),
        raised_by(node, video=clip, tracks=face, **WIDGETS),
    ]

    quick = nodes["quick_edit"].EditExpression.execute
    request = {"video": clip, "emotion": "happy", "strength": 1.0, "face": "largest"}
    found["quick"] = seen(quick(**request))
    count = len(fakes.heads)
    found["quick_without"] = seen(quick(**request, talking_head="none"))
    found["quick_without"]["heads"] = len(fakes.heads) - count
    return found


if __name__ == "__main__":
    host_folder, repo, base = map(Path, sys.argv[1:4])
    demo = sys.argv[4]
    load_pack(host_folder, repo, base)
    names = ("load", "track", "pose_encode", "prepare_speech", "adjacent_frame", "quick_edit")
    nodes = {name: importlib.import_module(f"thfem_pack.nodes.{name}") for name in names}
    importlib.import_module("thfem_pack.nodes.host").register_model_folder()
    head = importlib.import_module("thfem_pack.thfem_core.talking_head.head")
    fakes = Fakes(head)
    head.talking_heads.create = lambda name, options=None, resources=None: fakes()
    print(json.dumps(facts(nodes, fakes, demo)))
