"""Runs inside a host's interpreter: executes Edit Expression on a video and on images, with and without connected
outputs, and prints what it gave, as JSON.

Arguments: the host's folder, this repository, a base folder, the demo clip.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

sys.path.append(str(Path(__file__).parents[1]))
from host_definitions import load_pack

WIDGETS = {"emotion": "happy", "strength": 1.0, "face": "largest", "talking_head": "none"}


class LazyAudio(Mapping):
    """AUDIO as VideoHelperSuite hands it on: read when somebody asks for it, and no dict."""

    def __init__(self, audio: dict) -> None:
        self._audio, self._read = audio, None

    def __getitem__(self, key: str):
        self._read = self._read or dict(self._audio)
        return self._read[key]

    def __iter__(self):
        return iter(self._audio)

    def __len__(self) -> int:
        return len(self._audio)


def connected(*slots: int):
    """Let the host seem to run a graph in which these outputs of node 7 are taken."""
    links = {f"input_{slot}": ["7", slot] for slot in slots}
    graph = {
        "7": {"class_type": "THFEM_EditExpression", "inputs": {"video": ["1", 0]}},
        "8": {"inputs": links | {"number": 3}},
    }
    queue = SimpleNamespace(currently_running={0: (0, "id", graph, {}, [])})
    server = SimpleNamespace(
        prompt_queue=queue, client_id="me", send_sync=lambda *event: sent.append(event), send_progress_text=None
    )
    sys.modules["server"] = SimpleNamespace(PromptServer=SimpleNamespace(instance=server))


sent: list = []


def described(result) -> list:
    def one(value):
        if value is None:
            return None
        if isinstance(value, dict):
            return [value["waveform"].shape[-1] / value["sample_rate"]]
        return list(value.shape)

    return [one(value) for value in result.args[1:]]


def batch_facts(node, clip: str) -> dict:
    import shutil

    import folder_paths

    folder = Path(folder_paths.get_input_directory()) / "many" / "clips"
    folder.mkdir(parents=True)
    shutil.copy(clip, folder / "good.mp4")
    (folder / "bad.mp4").write_bytes(b"no clip")
    inputs = WIDGETS | {"folder": "many/clips", "output_folder": "THFEM/all", "skip_existing": False}
    before = node.fingerprint_inputs(**inputs)
    sent.clear()
    result = node.execute(**inputs)
    (folder / "bad.mp4").unlink()
    try:
        node.execute(**(inputs | {"folder": "../.."}))
        outside = ""
    except Exception as error:
        outside = str(error)
    return {
        "offered": "many/clips" in node.define_schema().inputs[0].options,
        "outputs": list(result.args),
        "text": result.ui.as_dict()["text"][0],
        "notices": [event[1]["title"] for event in sent],
        "written": sorted(file.name for file in (Path(folder_paths.get_output_directory()) / "THFEM/all").iterdir()),
        "changes": before != node.fingerprint_inputs(**inputs),
        "outside": outside,
    }


def main(host: Path, repo: Path, base: Path, demo: str) -> None:
    load_pack(host, repo, base)

    def nodes(name: str):
        return importlib.import_module(f"thfem_pack.nodes.{name}")

    nodes("host").register_model_folder()
    import folder_paths
    import torch
    from comfy_api.latest import InputImpl, io

    short = str(Path(folder_paths.get_temp_directory()) / "short.mp4")
    Path(short).parent.mkdir(parents=True, exist_ok=True)
    from fractions import Fraction

    core = "thfem_pack.thfem_core.media"
    source = importlib.import_module(f"{core}.file_video").FileVideo(demo, duration=Fraction(12, 25))
    importlib.import_module(f"{core}.writer").write_video(source.frames(), short, like=source)
    video = InputImpl.VideoFromFile(short)
    parts = video.get_components()

    node = nodes("quick_edit").EditExpression
    node = type("Clone", (node,), {})
    facts: dict = {"unknown": described(node.execute(video=video, **WIDGETS))}
    node.hidden = io.HiddenHolder.from_dict({io.Hidden.unique_id: "7"})
    connected(0)
    facts["video_only"] = described(node.execute(video=video, **WIDGETS))
    first = node.fingerprint_inputs(**WIDGETS)
    connected(0, 1, 2, 3, 4)
    second = node.fingerprint_inputs(**WIDGETS)
    node.hidden = None  # as older hosts call it
    facts["fingerprints"] = [first != second, node.fingerprint_inputs(**WIDGETS) == second]
    node.hidden = io.HiddenHolder.from_dict({io.Hidden.unique_id: "7"})
    start = time.process_time()
    everything = node.execute(video=video, **(WIDGETS | {"emotion": "sad"}))
    facts["seconds"] = time.process_time() - start
    facts["everything"] = described(everything)
    images, mask, crop = everything.args[1], everything.args[3], everything.args[4]
    facts["ranges"] = [[float(each.min()), float(each.max())] for each in (images, mask, crop)]
    facts["face_share"] = float((mask > 0.5).float().mean())
    inside, outside = mask > 0.99, mask == 0
    change = (images - parts.images).abs().mean(dim=-1)
    facts["change"] = [float(change[inside].mean()), float(change[outside].mean())]

    covered = node.execute(video=video, in_front=torch.ones(1, 4, 4), **WIDGETS).args[1]
    facts["covered"] = float((covered - parts.images).abs().mean(dim=-1)[inside].mean())
    empty = node.execute(video=video, in_front=torch.zeros(1, 4, 9), **WIDGETS).args[1]
    facts["empty_mask"] = float((empty - parts.images).abs().mean(dim=-1)[inside].mean())
    like = node.execute(video=video, licence="commercial", reference=parts.images[:1], **WIDGETS)
    facts["commercial"] = [described(like), like.ui["text"][0]]

    audio = {"waveform": parts.audio["waveform"], "sample_rate": parts.audio["sample_rate"]}
    sent.clear()
    from_images = node.execute(video=parts.images.clone(), audio=audio, fps=25.0, **WIDGETS)
    facts["from_images"] = [described(from_images), len(sent)]
    lazy = LazyAudio(audio)
    facts["lazy_sound"] = described(node.execute(video=parts.images.clone(), audio=lazy, fps=25.0, **WIDGETS))[1]
    speech = nodes("prepare_speech").PrepareSpeech.execute(sound=lazy).args[0]
    facts["lazy_speech"] = float(speech.duration)
    wrong_rate = node.execute(video=parts.images.clone(), audio=audio, fps=50.0, **WIDGETS)
    facts["wrong_rate"] = [wrong_rate.ui["text"][0], [event[1] for event in sent]]
    facts["batch"] = batch_facts(nodes("batch_edit").BatchEdit, short)
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), sys.argv[4])
