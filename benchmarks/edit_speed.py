"""Speed of every stage of `edit` on a 720p clip with one face, and peak memory for a short and a long clip.

    python -m benchmarks.edit_speed                      # the demo clip, shown at 1280 x 720
    python -m benchmarks.edit_speed --clip talk.mp4 --seconds 10 120 --runs 5

The clip is played forwards and backwards until it is long enough. A stage is timed together with the decoding that
feeds it; the whole is the command itself in a process of its own, start-up of Python included. The talking head is
also timed alone, on 256 x 256 pictures of the face that lie in memory: "audio" draws every frame.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain, cycle, islice
from pathlib import Path

import cv2
import numpy as np
import torch

from thfem_core.cli.demo import DEMO_CLIP
from thfem_core.expression.request import ExpressionRequest
from thfem_core.face.tracking.track import FaceTracks
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.sound import Sound, join_sound
from thfem_core.media.timing import frame_time
from thfem_core.media.writer import write_video
from thfem_core.pipeline import EditConfig, edit, find_faces
from thfem_core.talking_head.head import Drive

from .strips import face_window

WIDTH, HEIGHT = 1280, 720
FACE = 256  # pixels
MOST_FRAMES = 250  # of the given clip that are held while the long one is written


def fitted(rgb: np.ndarray) -> np.ndarray:
    """The picture at 1280 x 720: scaled to the height, cut or mirrored at the sides."""
    width = round(rgb.shape[1] * HEIGHT / rgb.shape[0])
    scaled = cv2.resize(rgb, (width, HEIGHT), interpolation=cv2.INTER_CUBIC)
    if width >= WIDTH:
        left = (width - WIDTH) // 2
        return scaled[:, left : left + WIDTH]
    left = (WIDTH - width) // 2
    return cv2.copyMakeBorder(scaled, 0, 0, left, WIDTH - width - left, cv2.BORDER_REFLECT)


def make_clip(source: Path, path: Path, seconds: float) -> FileVideo:
    """``seconds`` of 720p H.264 with AAC sound, without a jump between repetitions."""
    clip = FileVideo(source)
    rate = clip.info.frame_rate
    pictures = [fitted(frame.rgb()) for frame in islice(clip.frames(), MOST_FRAMES)]
    endless = cycle(chain(pictures, pictures[-2:0:-1]))
    frames = (
        ArrayFrame(index=i, time=frame_time(i, rate), pixels=rgb)
        for i, rgb in enumerate(islice(endless, round(seconds * rate)))
    )
    sound = join_sound(clip.sound_blocks()) or Sound(np.zeros((1, 16000), np.float32), 16000)
    samples = np.resize(sound.samples, (sound.samples.shape[0], round(seconds * sound.sample_rate)))
    write_video(frames, path, like=ArrayVideo(pictures[0][None], rate), sound=Sound(samples, sound.sample_rate))
    return FileVideo(path)


def consume(frames: Iterable[object]) -> None:
    for _ in frames:
        pass


def stages(clip: FileVideo, folder: Path, editor: str, emotion: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """What is timed, with its name."""
    cpu = torch.device("cpu")
    tracks = find_faces(clip, device=cpu)
    request = ExpressionRequest(emotion=emotion)  # type: ignore[arg-type]
    yield "decode", lambda: consume(clip.frames())
    yield "decode + track", lambda: consume(find_faces(clip, device=cpu).tracks)

    def run(config: EditConfig) -> Callable[[], None]:
        return lambda: consume(edit(clip, config, device=cpu, tracks=tracks).frames())

    yield "decode + edit", run(EditConfig(request=request, editor=editor, talking_head=None))
    yield "decode + talking head, blend", run(EditConfig(drive="blend"))
    # Every frame is drawn; with blend only those whose lips need it.
    yield "decode + talking head, audio", run(EditConfig(drive="audio"))
    yield "decode + encode", lambda: consume([write_video(clip.frames(), folder / "copy.mp4", like=clip)])


def face_pictures(clip: FileVideo, tracks: FaceTracks) -> ArrayVideo:
    """256 x 256 pictures of the clip's face, with its sound; the window stands still."""
    (track, *_) = tracks.select("largest")
    start, stop = track.first_frame, min(track.stop_frame, track.first_frame + MOST_FRAMES)
    samples = track.samples(start, stop)
    x0, y0, x1, y1 = face_window(samples.landmarks[samples.weight > 0][0], tracks.size)
    pictures = [
        cv2.resize(frame.rgb()[y0:y1, x0:x1], (FACE, FACE), interpolation=cv2.INTER_AREA)
        for frame in islice(clip.frames(), start, stop)
    ]
    return ArrayVideo(np.stack(pictures), clip.info.frame_rate, sound=join_sound(clip.sound_blocks()))


def talking_head_alone(clip: FileVideo, runs: int) -> Iterator[tuple[Drive, float, float]]:
    """Drive, wall and CPU seconds per frame: medians."""
    cpu = torch.device("cpu")
    video = face_pictures(clip, find_faces(clip, device=cpu))
    tracks = find_faces(video, device=cpu)
    drives: tuple[Drive, ...] = ("blend", "original", "audio")
    for drive in drives:
        times = []
        for _ in range(runs):
            start = np.array([time.perf_counter(), time.process_time()])
            consume(edit(video, EditConfig(drive=drive), device=cpu, tracks=tracks).frames())
            times.append(np.array([time.perf_counter(), time.process_time()]) - start)
        wall, busy = np.median(times, axis=0) / tracks.frame_count
        yield drive, wall, busy


# Linux hands a process its parent's peak as a start for getrusage; VmHWM is the child's own.
_CHILD = """
import resource, sys
from pathlib import Path
from thfem_core.cli.main import main
code = main(sys.argv[1:])
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
own = [line.split()[1] for line in lines if line.startswith("VmHWM")]
print(own[0] if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(code)
"""


def run_command(clip: FileVideo, output: Path, editor: str, emotion: str) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak resident MiB of ``python -m thfem_core edit``."""
    arguments = ["edit", str(clip.source.media), "-o", str(output), "--quiet", "--emotion", emotion, "--editor", editor]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    run = [sys.executable, "-c", _CHILD, *arguments, "--device", "cpu"]
    peak = subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()[-1]
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, int(peak) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, default=DEMO_CLIP, help="a clip with one face (default: the demo clip)")
    parser.add_argument("--seconds", type=float, nargs="+", default=[10.0, 120.0], help="lengths to measure")
    parser.add_argument("--runs", type=int, default=3, help="the median of so many runs (default: 3)")
    parser.add_argument("--emotion", default="happy")
    parser.add_argument("--editor", default="mesh")
    args = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"{WIDTH} x {HEIGHT}, {cores} CPU cores, PyTorch {torch.__version__}, median of {args.runs} runs\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = [make_clip(args.clip, folder / f"{i}.mp4", length) for i, length in enumerate(args.seconds)]
        counts = [sum(1 for _ in clip.frames()) for clip in clips]
        print("| stage | ms per frame | CPU ms per frame | frames/s |\n|---|---|---|---|")
        for stage, run in stages(clips[0], folder, args.editor, args.emotion):
            times = []
            for _ in range(args.runs):
                start = np.array([time.perf_counter(), time.process_time()])
                run()
                times.append(np.array([time.perf_counter(), time.process_time()]) - start)
            seconds, cpu = np.median(times, axis=0) / counts[0]
            print(f"| {stage} | {1000 * seconds:.1f} | {1000 * cpu:.1f} | {1 / seconds:.0f} |", flush=True)
        print(
            f"\n| talking head alone, {FACE} x {FACE} | ms per frame | CPU ms per frame | frames/s |\n|---|---|---|---|"
        )
        for drive, wall, busy in talking_head_alone(clips[0], args.runs):
            print(f"| {drive} | {1000 * wall:.1f} | {1000 * busy:.1f} | {1 / wall:.0f} |", flush=True)
        print("\n| whole `edit` command | wall s | CPU s | frames/s | × real time | peak RSS MiB |")
        print("|---|---|---|---|---|---|")
        for clip, count, length in zip(clips, counts, args.seconds, strict=True):
            runs = [run_command(clip, folder / "out.mp4", args.editor, args.emotion) for _ in range(args.runs)]
            seconds, cpu, memory = (statistics.median(column) for column in zip(*runs, strict=True))
            played = Fraction(count) / clip.info.frame_rate / Fraction(seconds)
            print(
                f"| {length:g} s, {count} frames | {seconds:.1f} | {cpu:.1f} | {count / seconds:.0f} "
                f"| {float(played):.2f} | {memory:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
