"""Runs inside a host's interpreter: uses the adapters as the nodes do, and prints what they did, as JSON.

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


class Cancelled(BaseException):
    """What a cancelled run looks like on newer hosts."""


def raised_by(call, *arguments) -> str:
    try:
        call(*arguments)
    except BaseException as error:
        return type(error).__name__ + ": " + str(error)
    return ""


def progress_facts(host) -> dict:
    import comfy.model_management
    import comfy.utils

    shares = []

    class Recorder:
        """In place of the host's bar, which newer hosts move only a few times a second."""

        def __init__(self, total: int) -> None:
            assert total > 0

        def update_absolute(self, value: int, total: int, preview: object = None) -> None:
            shares.append(value / total)

    comfy.utils.ProgressBar = Recorder
    progress = host.HostProgress(stages=3)
    for stage in ("Finding faces", "Finding faces", "Writing video"):
        for done in range(1, 6):
            progress(stage, done, 5)
    endless = host.HostProgress()
    known = list(shares)
    for done in range(1, 4):
        endless("Writing video", done, None)
    comfy.model_management.interrupt_current_processing(True)
    cancelled = raised_by(host.HostProgress(), "Writing video", 1, 5)
    return {"shares": known, "unknown_length": shares[len(known) :], "cancelled": cancelled}


def temp_facts(host) -> dict:
    def fail() -> None:
        with host.new_temp_file("probe", ".mp4") as path:
            path.write_bytes(b"half")
            raise Cancelled

    raised = raised_by(fail)
    import folder_paths

    return {"raised": raised, "left": [p.name for p in Path(folder_paths.get_temp_directory()).glob("probe*")]}


def socket_facts(sockets, trimmed, demo: str) -> dict:
    import numpy as np
    import torch
    from comfy_api.latest import InputImpl, Types

    images = torch.rand(4, 6, 8, 4)
    clip = sockets.clip_from_socket(images, fps=29.97)
    copied = sockets.images_from_frames(clip.frames(), like=images, progress=lambda *_: None)
    audio = {"waveform": torch.rand(1, 2, 100), "sample_rate": 8000}
    parts = Types.VideoComponents(images=images, audio=audio, frame_rate=Fraction(30))
    built = sockets.clip_from_socket(InputImpl.VideoFromComponents(parts))
    back = sockets.audio_from_sound(sockets.sound_from_audio(audio))
    part = trimmed.TrimmedVideo(demo, start=1.0, duration=0.4)
    whole = sockets.clip_from_socket(InputImpl.VideoFromFile(demo))
    wanted = [frame.rgb() for frame in whole.frames() if 1 <= frame.time < Fraction(7, 5)]
    components = part.get_components()
    return {
        "rates": [str(sockets.frame_rate(fps)) for fps in (23.976, 25, 29.97, 12.5, 59.94)],
        "rate": str(clip.info.frame_rate),
        "images_kept": bool(torch.equal(copied, images)),
        "built_has_sound": built.info.has_sound,
        "audio_kept": bool(torch.equal(back["waveform"], audio["waveform"])) and back["sample_rate"] == 8000,
        "no_sound": sockets.audio_from_sound(None) is None and sockets.sound_from_audio(None) is None,
        "empty_batch": raised_by(sockets.clip_from_socket, images[:0]),
        "part_frames": part.get_frame_count(),
        "part_seconds": part.get_duration(),
        "part_size": part.get_dimensions(),
        "part_window": sockets.trim_window(part),
        "part_is_exact": bool(np.array_equal((components.images.numpy() * 255).round(), np.stack(wanted))),
        "part_sound_seconds": components.audio["waveform"].shape[-1] / components.audio["sample_rate"],
    }


def memory_facts(host) -> dict:
    """Whether the embedded networks are the same objects, before and after the host unloads all models."""
    import comfy.model_management

    models = importlib.import_module("thfem_pack.thfem_core.face.mediapipe.models")
    first = models.load_mediapipe(host.work_device())
    again = models.load_mediapipe(host.work_device())
    comfy.model_management.unload_all_models()
    return {"stays": first is again, "unloaded": models.load_mediapipe(host.work_device()) is not first}


def input_facts(load, base: Path) -> dict:
    (base / "secret.mp4").write_bytes(b"x")
    (base / "input" / "a.mp4").write_bytes(b"x")
    (base / "input" / "b.txt").write_bytes(b"x")
    return {
        "files": load.input_files("video"),
        "outside": load.input_path("../secret.mp4") is None,
        "inside": load.input_path("a.mp4") == base / "input" / "a.mp4",
        "folder": load.input_path("") is None,
    }


if __name__ == "__main__":
    host_folder, repo, base = map(Path, sys.argv[1:4])
    demo = sys.argv[4]
    load_pack(host_folder, repo, base)
    (base / "input").mkdir(exist_ok=True)
    host, sockets, trimmed, load, expression = (
        importlib.import_module(f"thfem_pack.nodes.{name}")
        for name in ("host", "video_sockets", "trimmed_video", "load", "expression_inputs")
    )
    print(
        json.dumps(
            {
                "progress": progress_facts(host),
                "temp": temp_facts(host),
                "sockets": socket_facts(sockets, trimmed, demo),
                "memory": memory_facts(host),
                "input": input_facts(load, base),
                "faces": [expression.face_choice(text) for text in ("largest", " All ", "2")],
                "wrong_face": raised_by(expression.face_choice, "-1"),
            }
        )
    )
