"""Does a change of the code change what users get? Eight outputs of the command line, decoded and hashed.

    python -m benchmarks.output_digests CLIP CLIP CLIP --out before --code ../checkout_before_the_change
    python -m benchmarks.output_digests CLIP CLIP CLIP --out after --against before

Every case is a process of its own, started in the checkout that ``--code`` names, so this one script also judges
commits that do not have it. Inputs are the first seconds of the clips; they are made once, in ``--out``, and taken
from ``--against`` if that is given, so both sides read the same bytes. Edited videos are encoded without loss where
the command allows. ``--out`` receives the videos and ``digests.json``; ``--against`` prints how far a case that is not
equal is off. Run both sides on one machine with one torch: sums in another order differ in their last bit.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np

INPUTS = "inputs"  # folder inside --out
DIGESTS = "digests.json"
PORTRAIT = Path("thfem_core", "assets", "portrait.jpg")  # inside the checkout
SIDE_BY_SIDE_HEIGHT = 360  # pixels


def read_frames(path: Path, seconds: float | None = None) -> Iterator[av.VideoFrame]:
    """Decode the frames of a video, all or the first seconds."""
    with av.open(str(path)) as file:
        start = None
        for frame in file.decode(video=0):
            start = frame.time if start is None else start
            if seconds is not None and frame.time >= start + seconds:
                return
            yield frame


def write_clip(path: Path, frames: Iterator[np.ndarray], *, like: Path, seconds: float) -> None:
    """Write RGB frames at the rate of another file, with the packets of its sound from its first frame on."""
    start = next(read_frames(like)).time
    with av.open(str(path), "w") as file, av.open(str(like)) as source:
        rate = source.streams.video[0].average_rate
        video = file.add_stream("libx264", rate=rate, options={"crf": "12", "preset": "veryfast"})
        video.pix_fmt = "yuv420p"
        audio = file.add_stream_from_template(source.streams.audio[0])
        for number, rgb in enumerate(frames):
            if number == 0:
                video.height, video.width = rgb.shape[:2]
            file.mux(video.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        file.mux(video.encode(None))
        for packet in source.demux(audio=0):
            if packet.pts is None:
                break
            time = float(packet.pts * packet.time_base) - start
            if 0 <= time < seconds:
                packet.pts = packet.dts = round(time / packet.time_base)
                packet.stream = audio
                file.mux(packet)


def cut(clip: Path, seconds: float) -> Iterator[np.ndarray]:
    """Yield the first frames of a clip as RGB, sides cut to even numbers."""
    for frame in read_frames(clip, seconds):
        rgb = frame.to_ndarray(format="rgb24")
        yield np.ascontiguousarray(rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2])


def waved(frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Bend every frame by a slow wave, as a stand-in for another system's edit that shakes and moves the lips."""
    for number, rgb in enumerate(frames):
        height, width = rgb.shape[:2]
        y, x = np.mgrid[:height, :width].astype(np.float32)
        bend = 0.006 * height * np.sin(2 * np.pi * (8 * y / height + number / 10))
        yield cv2.remap(rgb, x, (y + bend).astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def side_by_side(left: Iterator[np.ndarray], right: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Put the frames of two clips next to each other, both at one height, until the shorter ends."""
    for pair in zip(left, right, strict=False):
        scaled = []
        for rgb in pair:
            width = round(rgb.shape[1] * SIDE_BY_SIDE_HEIGHT / rgb.shape[0] / 2) * 2
            scaled.append(cv2.resize(rgb, (width, SIDE_BY_SIDE_HEIGHT), interpolation=cv2.INTER_AREA))
        yield np.concatenate(scaled, axis=1)


def make_inputs(clips: list[Path], folder: Path, seconds: float) -> None:
    """Write the inputs of all cases: clip0.mp4 to clip2.mp4, waved.mp4 and faces.mp4."""
    folder.mkdir(parents=True)
    for number, clip in enumerate(clips):
        write_clip(folder / f"clip{number}.mp4", cut(clip, seconds), like=clip, seconds=seconds)
    first, second, _ = clips
    write_clip(folder / "waved.mp4", waved(cut(first, seconds)), like=first, seconds=seconds)
    both = side_by_side(cut(first, seconds), cut(second, seconds))
    write_clip(folder / "faces.mp4", both, like=first, seconds=seconds)


def commands(inputs: Path, code: Path) -> dict[str, list[str]]:
    """Return the arguments of the eight cases, without their output."""
    clip0, clip1, clip2, waves, faces = (
        str(inputs / f"{name}.mp4") for name in ("clip0", "clip1", "clip2", "waved", "faces")
    )
    lossless = ["--crf", "0"]
    return {
        "happy 0": ["edit", clip0, "--emotion", "happy", *lossless],
        "happy 1": ["edit", clip1, "--emotion", "happy", *lossless],
        "happy 2": ["edit", clip2, "--emotion", "happy", *lossless],
        "reference": ["edit", clip1, "--reference", clip2, *lossless],
        "frames editor": ["edit", clip0, "--editor", "frames", "--edited-frames", waves, *lossless],
        "drive audio": ["edit", clip0, "--emotion", "happy", "--drive", "audio", *lossless],
        "all faces": ["edit", faces, "--emotion", "surprised", "--face", "all", *lossless],
        "talk": ["talk", str(code / PORTRAIT), clip0],
    }


def digest(path: Path) -> dict[str, str | int]:
    """Hash what a player shows and plays: decoded pictures, their times, decoded sound."""
    pictures, times, sound = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    count = 0
    for frame in read_frames(path):
        pictures.update(f"{frame.format.name} {frame.width} {frame.height}".encode())
        pictures.update(frame.to_ndarray().tobytes())
        times.update(str((frame.pts or 0) * (frame.time_base or 0)).encode())
        count += 1
    with av.open(str(path)) as file:
        for block in file.decode(audio=0):
            sound.update(f"{block.format.name} {block.rate}".encode())
            sound.update(block.to_ndarray().tobytes())
    return {
        "frames": count,
        "pictures": pictures.hexdigest(),
        "times": times.hexdigest(),
        "sound": sound.hexdigest(),
    }


def differences(before: Path, after: Path) -> str:
    """Say how far the pictures of two videos are apart, in grey levels."""
    largest, total, number, unequal = 0, 0.0, 0, []
    for number, (one, other) in enumerate(zip(read_frames(before), read_frames(after), strict=False)):
        first, second = (frame.to_ndarray(format="rgb24").astype(np.int16) for frame in (one, other))
        if first.shape != second.shape:
            return f"size {first.shape[:2]} became {second.shape[:2]}"
        off = np.abs(first - second)
        largest, total = max(largest, int(off.max())), total + float(off.mean())
        if off.any():
            unequal.append(number)
    if not unequal:
        return "equal pictures"
    runs = [0, *(i for i, (a, b) in enumerate(pairwise(unequal), 1) if b != a + 1), len(unequal)]
    spans = ", ".join(f"{unequal[a]}-{unequal[b - 1]}" for a, b in pairwise(runs))
    return f"frames {spans}: at most {largest} levels, {total / (number + 1):.4f} in the mean of all frames"


def compare(before: Path, after: Path) -> bool:
    """Print one line per case that was run now; return whether all of these are equal."""
    old, new = (json.loads((folder / DIGESTS).read_text(encoding="utf-8")) for folder in (before, after))
    for case, now in new.items():
        unequal = [what for what, value in now.items() if old.get(case, {}).get(what) != value]
        detail = ""
        if "pictures" in unequal and case in old:
            detail = f" ({differences(*(video(folder, case) for folder in (before, after)))})"
        print(f"{case:14} {'equal' if not unequal else 'NOT EQUAL: ' + ', '.join(unequal) + detail}")
    return all(old.get(case) == now for case, now in new.items())


def video(folder: Path, case: str) -> Path:
    """Return where the output of a case lies."""
    return folder / f"{case.replace(' ', '_')}.mp4"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs=3, type=Path, metavar="CLIP", help="talking people, with sound")
    parser.add_argument("--out", type=Path, required=True, help="new folder for the videos and digests.json")
    parser.add_argument("--code", type=Path, default=Path(), help="checkout whose command is run (default: this one)")
    parser.add_argument("--against", type=Path, metavar="DIR", help="the --out of an earlier run to compare with")
    parser.add_argument("--seconds", type=float, default=1.5, help="how much of each clip (default: 1.5)")
    parser.add_argument("--only", nargs="+", metavar="CASE", help="some cases only, such as: talk 'happy 0'")
    return parser.parse_args()


def main() -> int:
    args = parse()
    out, code = args.out.resolve(), args.code.resolve()
    if args.against is not None:
        shutil.copytree(args.against / INPUTS, out / INPUTS)
    else:
        make_inputs(args.clips, out / INPUTS, args.seconds)
    digests = {}
    for case, arguments in commands(out / INPUTS, code).items():
        if args.only and case not in args.only:
            continue
        output = video(out, case)
        command = [sys.executable, "-m", "thfem_core", *arguments, "-o", str(output), "--device", "cpu", "--quiet"]
        subprocess.run(command, cwd=code, check=True)
        digests[case] = digest(output)
        print(f"{case:14} {digests[case]['frames']} frames, pictures {str(digests[case]['pictures'])[:12]}", flush=True)
    (out / DIGESTS).write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")
    return 0 if args.against is None or compare(args.against, out) else 1


if __name__ == "__main__":
    sys.exit(main())
