"""Peak memory of drawing with each talking head, window by window: a long clip takes no more than a short one.

    python -m benchmarks.talking_head_memory [--runs mouth:250 mouth:1500 ...] [--device cpu|cuda] [--window 5]

The demo clip to and fro, as many frames as each run says, drawn by the scheduler as in a real run; EAT and EAMM with
random weights of full size. Every run is a process of its own. Memory counts above what is taken once the networks are
ready and the pictures of the demo clip are decoded: on a CPU the highest resident set during each window (Linux alone
tells), on a graphics card the highest sum of PyTorch's tensors. Sound belongs to the clip: 64 kB per second.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.talking_head_speed import random_networks
from thfem_core.audio.speech import Speech
from thfem_core.device import one_cpu_thread
from thfem_core.face.models import default_face_models
from thfem_core.face.tracking.track import FaceSamples, FaceTrack
from thfem_core.face.tracking.tracker import track_faces
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.file_video import FileVideo
from thfem_core.media.frame import Frame
from thfem_core.networks.folding import drop_unused, fold
from thfem_core.pose.mesh.encoder import MeshPoseEncoder
from thfem_core.talking_head.eamm import networks as eamm
from thfem_core.talking_head.eamm.head import EammTalkingHead
from thfem_core.talking_head.eat import networks as eat
from thfem_core.talking_head.eat.head import EatTalkingHead
from thfem_core.talking_head.head import (
    AdjacentWindow,
    FaceClip,
    FaceSession,
    PatchOrReason,
    TalkingHead,
    talking_heads,
)
from thfem_core.talking_head.redraw import GPU_BATCH
from thfem_core.talking_head.scheduler import DrawnFace, draw_faces
from thfem_core.talking_head.windows import WindowConfig

DEMO = Path(__file__).parents[1] / "thfem_core" / "assets" / "demo.mp4"
RUNS = ("mouth:250", "mouth:1500", "eamm:11", "eamm:111", "eat:11")
MEGA = 2**20


def to_and_fro(index: int, count: int) -> int:
    """0 … count-1, back to 0, and so on: nothing jumps."""
    place = index % (2 * count - 2)
    return place if place < count else 2 * count - 2 - place


@dataclass(frozen=True)
class Swinging:
    """The track of a clip of ``count`` frames, to and fro up to ``stop_frame``."""

    track: FaceTrack
    count: int
    stop_frame: int
    first_frame: int = 0
    track_id: int = 0

    def samples(self, start: int, stop: int) -> FaceSamples:
        frames = np.arange(start, stop)
        there = (frames >= 0) & (frames < self.stop_frame)
        rows = [to_and_fro(int(index), self.count) for index in frames]
        whole = self.track.samples(0, self.count)
        return FaceSamples(
            first_frame=start,
            landmarks=np.where(there[:, None, None], whole.landmarks[rows], np.float32(np.nan)),
            weight=np.where(there, whole.weight[rows], np.float32(0)),
            yaw=np.where(there, whole.yaw[rows], np.float32(np.nan)),
        )


class Memory:
    """The highest use since the last :meth:`read`."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def now(self) -> float:
        return torch.cuda.memory_allocated() if self._device.type == "cuda" else self._status("VmRSS")

    def read(self) -> float:
        if self._device.type == "cuda":
            peak: float = torch.cuda.max_memory_allocated()
            torch.cuda.reset_peak_memory_stats()
            return peak
        peak = self._status("VmHWM")
        Path("/proc/self/clear_refs").write_text("5")  # the kernel begins a new highest value
        return peak

    @staticmethod
    def _status(key: str) -> float:
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024.0 * float(next(line.split()[1] for line in lines if line.startswith(key)))


class Watched:
    """A session that notes the highest memory use up to the end of each call, which is a batch of windows."""

    def __init__(self, session: FaceSession, memory: Memory) -> None:
        self._session, self._memory = session, memory
        self.lookahead = session.lookahead
        self.peaks: list[float] = []
        self.windows = 0

    def observe(self, frame: Frame) -> None:
        self._session.observe(frame)

    def predict(self, windows: Sequence[AdjacentWindow]) -> list[list[PatchOrReason]]:
        drawn = self._session.predict(windows)
        self.peaks.append(self._memory.read())
        self.windows += len(windows)
        return drawn


def eat_head(device: torch.device) -> TalkingHead:
    networks = random_networks(eat.CHECKPOINT_NETWORKS, device)
    for network in networks.values():
        fold(drop_unused(network))
    networks["generator"].decoder.merge()
    constants = {"basis": 0.02 * torch.randn(45, 45), "mean": torch.zeros(45), "silence": torch.zeros(16, 29)}
    heard = np.random.default_rng(0).standard_normal((100_000, 29)).astype(np.float32)
    return EatTalkingHead(eat.EatNetworks(networks, constants), lambda speech: heard, dtype=drawing_dtype(device))


def eamm_head(device: torch.device) -> TalkingHead:
    networks = random_networks(eamm.CHECKPOINT_NETWORKS, device)
    for network in networks.values():
        fold(drop_unused(network))
    return EammTalkingHead(eamm.EammNetworks(networks), dtype=drawing_dtype(device))


def drawing_dtype(device: torch.device) -> torch.dtype:
    return torch.bfloat16 if device.type == "cuda" else torch.float32


HEADS: dict[str, Callable[[torch.device], TalkingHead]] = {
    "eat": eat_head,
    "eamm": eamm_head,
    "mouth": lambda device: talking_heads.create("mouth"),
}


def frames_of(pictures: list[np.ndarray], count: int, rate: Fraction) -> Generator[Frame, None, None]:
    for index in range(count):
        yield ArrayFrame(index=index, time=index / rate, pixels=pictures[to_and_fro(index, len(pictures))])


def run(system: str, frames: int, device: torch.device, window: int) -> None:
    video = FileVideo(DEMO)
    rate = video.info.frame_rate
    tracks = track_faces(video, models=default_face_models(torch.device("cpu")))
    pictures = [frame.rgb() for frame in video.frames()]
    track = Swinging(track=tracks.select("largest")[0], count=len(pictures), stop_frame=frames)
    speech = Speech.from_video(video)
    assert speech is not None
    spoken = Speech(np.resize(speech.samples, round(speech.sample_rate * frames / rate)), speech.level)
    head = HEADS[system](device)
    clip = FaceClip(
        track=track,
        speech=spoken,
        frame_rate=rate,
        device=device,
        drive="blend" if "blend" in head.drives else "audio",
        poses=MeshPoseEncoder().encode(track),
    )
    memory = Memory(device)
    session = Watched(head.open_face(clip), memory)
    gc.collect()
    ready = memory.now()
    memory.read()
    config = WindowConfig(size=window)
    drawn = draw_faces(
        frames_of(pictures, frames, rate),
        [DrawnFace(track=track, session=session)],
        window=config,
        batch=GPU_BATCH if device.type == "cuda" else 1,
    )
    for _ in drawn:
        pass
    above = [(peak - ready) / MEGA for peak in session.peaks]
    # The first call draws one frame, and libraries take what they keep.
    late = above[1:] or above
    tenth = max(1, len(late) // 10)
    modules = [value for value in vars(head).values() if isinstance(value, nn.Module)]
    tensors = {t.data_ptr(): t.nbytes for module in modules for t in (*module.parameters(), *module.buffers())}
    weights = sum(tensors.values()) / MEGA
    cells = (max(late[:tenth]), np.median(late), max(late[-tenth:]), max(above))
    numbers = " | ".join(f"{cell:.0f}" for cell in cells)
    print(f"| {system} | {frames} | {session.windows} | {weights:.0f} | {numbers} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", nargs="+", default=RUNS, metavar="SYSTEM:FRAMES")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--window", type=int, default=5)
    parser.add_argument("--here", action="store_true", help="in this process, without the head of the table")
    choice = parser.parse_args()
    if choice.here:
        with one_cpu_thread():
            for each in choice.runs:
                system, frames = each.split(":")
                run(system, int(frames), torch.device(choice.device), choice.window)
        return
    print("| | frames | windows | weights, MB | peak of the first tenth | median | last tenth | highest |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    for each in choice.runs:
        command = [sys.executable, "-m", "benchmarks.talking_head_memory", "--here", "--runs", each]
        command += ["--device", choice.device, "--window", str(choice.window)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
