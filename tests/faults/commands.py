"""Commands, training included, given damaged inputs: what must hold of every one of them."""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from thfem_core.cli.main import main as thfem
from thfem_core.media.file_video import FileVideo
from thfem_core.media.sound import join_sound
from training import build_dataset, build_pairs, evaluate, train_thg

from .damage import damaged, one_thread_frames
from .media import Outcome

SIDE, FRAMES = 160, 30
# 0 done; 1 partly done, or too little memory; 2 unusable input; 3 output; 4 model file
RIGHT_CODES = {0, 1, 2, 3, 4}
MOST_LINES = 12
HOSTILE = (
    b"<!DOCTYPE html><html>sign in</html>",
    b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00trueq\x00\x85q\x01Rq\x02.",
    b"PK\x03\x04" + bytes(200),
    b"",
    (2**60).to_bytes(8, "little") + b"{}",
)
TRAINING = """
[data]
prepared = "{prepared}"
[loop]
steps = 1
batch = 2
[sync]
windows = [5]
segment = 20
[sync.network]
width = 16
size = 6
"""


@dataclass(frozen=True, slots=True)
class Materials:
    """Undamaged inputs. clip: a talking face with sound. sound, portrait: of it. prepared: two clips for training."""

    clip: Path
    sound: Path
    portrait: Path
    prepared: Path


def make_materials(demo: Path, folder: Path) -> Materials:
    """Make small inputs of the demo clip."""
    from media_material import make_video

    video = FileVideo(demo, duration=Fraction(FRAMES, 25))
    pictures = [cv2.resize(frame.rgb(), (SIDE, SIDE), interpolation=cv2.INTER_AREA) for frame in video.frames()]
    sound = join_sound(video.sound_blocks())
    assert sound is not None
    mono = sound.mono().resampled(16_000)
    options = {"bf": "2", "g": "12"}
    clip = make_video(folder / "clip.mp4", pictures=pictures, sound=mono.samples, options=options)
    heard = make_video(folder / "speech.mkv", pictures=pictures[:1], sound=mono.samples, sound_codec="flac")
    cv2.imwrite(str(folder / "portrait.png"), cv2.cvtColor(pictures[0], cv2.COLOR_RGB2BGR))
    prepared = folder / "prepared"
    prepared.mkdir()
    rng = np.random.default_rng(0)
    for number, split in enumerate(("train", "val")):
        np.savez(
            prepared / f"clip{number}.npz",
            landmarks=rng.standard_normal((60, 478, 3)).astype(np.float32),
            speech=rng.integers(-3000, 3000, 60 * 640).astype(np.int16),
            sync=1.0,
            lag=0,
            identity=f"person{number}",
            split=split,
            origin="made",
        )
    return Materials(clip, heard, folder / "portrait.png", prepared)


@dataclass(frozen=True, slots=True)
class Case:
    """run: gives the exit code. made: the video it writes, if any. expected: frames that this must have."""

    run: Callable[[], int]
    made: Path | None = None
    expected: int = 0


def _spoilt(source: Path, folder: Path, seed: int) -> Path:
    target = folder / f"damaged{source.suffix}"
    target.write_bytes(damaged(source.read_bytes(), seed)[1])
    return target


def _decodable(path: Path) -> int:
    try:
        return len(one_thread_frames(path))
    except Exception:  # nothing of it can be opened
        return 0


def edit(materials: Materials, seed: int, folder: Path) -> Case:
    """Edit a damaged clip."""
    clip, out = _spoilt(materials.clip, folder, seed), folder / "out.mp4"
    command = ["edit", str(clip), "-o", str(out), "--emotion", "happy", "--quiet"]
    return Case(lambda: thfem(command), out, _decodable(clip))


def talk(materials: Materials, seed: int, folder: Path) -> Case:
    """Let a portrait speak, one of the two damaged."""
    inputs = [materials.portrait, materials.sound]
    inputs[seed % 2] = _spoilt(inputs[seed % 2], folder, seed // 2)
    out = folder / "out.mp4"
    command = ["talk", *map(str, inputs), "-o", str(out), "--fps", "10", "--quiet"]
    return Case(lambda: thfem(command), out, -1)


def faces(materials: Materials, seed: int, folder: Path) -> Case:
    """Show the faces of a damaged clip or picture."""
    source = _spoilt((materials.clip, materials.portrait)[seed % 2], folder, seed // 2)
    return Case(lambda: thfem(["faces", str(source), "-o", str(folder / "faces.png"), "--quiet"]))


def metrics(materials: Materials, seed: int, folder: Path) -> Case:
    """Measure two clips, one of them damaged."""
    clips = [materials.clip, materials.clip]
    clips[seed % 2] = _spoilt(materials.clip, folder, seed // 2)
    command = ["metrics", *map(str, clips), "--networks", "none", "--json", str(folder / "out.json"), "--quiet"]
    return Case(lambda: thfem(command))


def preview(materials: Materials, seed: int, folder: Path) -> Case:
    """Look at one frame of a damaged clip."""
    clip = _spoilt(materials.clip, folder, seed)
    command = ["preview", str(clip), "-o", str(folder / "frame.png"), "--at", "0.6", "--emotion", "sad", "--quiet"]
    return Case(lambda: thfem(command))


def batch(materials: Materials, seed: int, folder: Path) -> Case:
    """Edit a folder of which one clip is damaged; the other one must come out."""
    inputs, out = folder / "in", folder / "out"
    inputs.mkdir()
    shutil.copy(materials.clip, inputs / "whole.mp4")
    _spoilt(materials.clip, inputs, seed)
    command = ["batch", str(inputs), "-o", str(out), "--emotion", "happy", "--talking-head", "none", "--quiet"]
    return Case(lambda: thfem(command), out / "whole.mp4", FRAMES)


def convert(materials: Materials, seed: int, folder: Path) -> Case:
    """Convert something that is no checkpoint."""
    rng = random.Random(seed)
    name = ("eat", "eamm", "deepspeech", "flame")[seed % 4]
    file = folder / ("net.pth.tar", "net.pth.tar", "output_graph.pb", "generic_model.pkl")[seed % 4]
    file.write_bytes(rng.choice((*HOSTILE, rng.randbytes(300))))
    return Case(lambda: thfem(["models", "convert", name, str(file), "-o", str(folder / "out.safetensors"), "--quiet"]))


def prepare(materials: Materials, seed: int, folder: Path) -> Case:
    """Prepare a damaged clip for training."""
    (folder / "crops").mkdir()
    clip = _spoilt(materials.clip, folder / "crops", seed)
    (folder / "index.csv").write_text(f"file,identity,split\n{clip.name},somebody,train\n")
    return Case(lambda: build_dataset.main([str(folder), str(folder / "prepared"), "--workers", "1"]))


def pairs(materials: Materials, seed: int, folder: Path) -> Case:
    """Build a training pair of which one clip is damaged."""
    clips = [materials.clip, _spoilt(materials.clip, folder, seed // 2)]
    with (folder / "clips.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file", "actor", "emotion", "sentence"))
        for emotion, clip in zip(("neutral", "happy"), clips[:: 1 - 2 * (seed % 2)], strict=True):
            table.writerow((clip, "somebody", emotion, "hello"))
    command = ["csv", str(folder / "clips.csv"), str(folder / "pairs"), "--by-label", "--workers", "1"]
    return Case(lambda: build_pairs.main(command))


def train(materials: Materials, seed: int, folder: Path) -> Case:
    """Train on damaged clips, or by a damaged configuration."""
    prepared, config = folder / "prepared", folder / "config.toml"
    shutil.copytree(materials.prepared, prepared)
    data = TRAINING.format(prepared=prepared).encode()
    if seed % 2:
        data = damaged(data, seed // 2)[1]
    else:
        clip = prepared / f"clip{seed // 2 % 2}.npz"
        clip.write_bytes(damaged(clip.read_bytes(), seed // 2)[1])
    config.write_bytes(data)
    command = ["--config", str(config), "--stage", "sync", "--runs", str(folder / "runs"), "--cpu", "--steps", "2"]
    return Case(lambda: train_thg.main(command))


def tables(materials: Materials, seed: int, folder: Path) -> Case:
    """Print tables of damaged results."""
    job = folder / "results" / "ours" / "intra" / "clip__happy.json"
    job.parent.mkdir(parents=True)
    value = {"key": "csim", "network": None, "value": 0.9}
    facts = {
        "system": "ours",
        "setting": "intra",
        "emotion": "happy",
        "families": [{"official": False, "values": [value]}],
    }
    job.write_bytes(damaged(json.dumps(facts).encode(), seed)[1])
    np.savez(job.with_suffix(".npz"))
    results = folder / "results"
    return Case(lambda: evaluate.main(["tables", "mead", str(results)]))


COMMANDS = (edit, talk, faces, preview, batch, metrics, convert, prepare, pairs, train, tables)


def outcome_of(make: Callable[[Materials, int, Path], Case], materials: Materials, seed: int, folder: Path) -> Outcome:
    """Run one command on damaged inputs, and look for what is wrong.

    Args:
        make: One of :data:`COMMANDS`.
        materials: Undamaged inputs.
        seed: Of the damage.
        folder: An empty folder, emptied again.

    Returns:
        The outcome; ``fault`` is empty where all is right.
    """
    case = make(materials, seed, folder)
    errors, written, fault = io.StringIO(), 0, ""
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(errors):
            code = case.run()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 70
    except Exception as error:
        code, fault = 70, f"{type(error).__name__}: {error}"
    lines = [line for line in errors.getvalue().replace("\r", "\n").splitlines() if line.strip() and "%|" not in line]
    if case.made is not None and case.made.is_file():
        written = sum(1 for _ in FileVideo(case.made).frames())
    expected = written if case.expected < 0 else case.expected
    if not fault and code not in RIGHT_CODES:
        fault = f"exit code {code}: {lines[-1:]}"
    elif code in (0, 1) and case.made is not None and (written != expected or not written):
        fault = fault or f"{written} of {expected} frames were written"
    elif code and not lines:
        fault = fault or f"exit code {code} without a line"
    elif len(lines) > MOST_LINES or any("Traceback" in line for line in lines):
        fault = fault or f"{len(lines)} lines"
    left = [path.name for path in folder.rglob("*") if path.name.startswith(".") or path.name.endswith(".part")]
    if code > 1 and case.made is not None and case.made.exists():  # 1: a batch, some of whose clips failed
        left.append(case.made.name)
    if left:
        fault = fault or f"left behind: {', '.join(left)}"
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return Outcome(
        f"{make.__name__} {seed}", expected if code in (0, 1) else written, written, tuple(lines), tuple(left), fault
    )
