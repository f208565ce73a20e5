"""What must hold of every damaged clip: all frames that one thread decodes come out, and every loss is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from thfem_core.errors import ThfemError
from thfem_core.media.file_video import FileVideo
from thfem_core.media.writer import write_video

from .damage import FRAMES, damaged, one_thread_frames, samples


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case: what was damaged, and what came of it."""

    case: str
    expected: int
    written: int
    lines: tuple[str, ...]
    leftovers: tuple[str, ...]
    fault: str = ""


def copy_of_damaged(clip: Path, seed: int, folder: Path) -> Outcome:
    """Damage a clip, write its frames and sound as the commands do, and look for what is wrong.

    Args:
        clip: an undamaged clip.
        seed: of the damage.
        folder: an empty folder to work in.

    Returns:
        The outcome; ``fault`` is empty where all is right.
    """
    kind, data = damaged(clip.read_bytes(), seed)
    source, output = folder / f"in{clip.suffix}", folder / f"out{'.mkv' if seed % 2 else '.mp4'}"
    source.write_bytes(data)
    try:
        expected = one_thread_frames(source)
    except Exception:  # nothing of the file can be opened
        expected = []
    case, fault, written = f"{clip.suffix} {kind} {seed}", "", 0
    lines: list[str] = []
    try:
        video = FileVideo(source)
        frames = [samples(frame.picture) for frame in video.frames()]
        again = video.frames(warn=lines.append)
        written = write_video(again, output, like=video, warn=lines.append).frame_count
        # a clip has one size: pictures whose damaged header claims another are scaled to it
        same_size = [pair for pair in zip(frames, expected, strict=False) if len(pair[0]) == len(pair[1])]
        if len(frames) != len(expected) or any((ours != theirs).any() for ours, theirs in same_size):
            fault = f"{len(frames)} frames come out where one thread decodes {len(expected)}, or other ones"
        elif written != len(expected):
            fault = f"{written} of {len(expected)} frames were written"
        elif written < 0.9 * FRAMES and not lines and clip.suffix != ".ts":  # a stream that ends early is a stream
            fault = f"{FRAMES - written} frames are lost without a line"
    except ThfemError as error:
        lines.append(str(error))
        if expected:
            fault = f"refused though {len(expected)} frames decode: {error}"
    except Exception as error:
        fault = f"{type(error).__name__}: {error}"
    leftovers = tuple(sorted(path.name for path in folder.iterdir() if path not in (source, output)))
    if leftovers:
        fault = fault or f"left behind: {', '.join(leftovers)}"
    if any("\n" in line for line in lines):
        fault = fault or "a message of several lines"
    for path in (source, output):
        path.unlink(missing_ok=True)
    return Outcome(case, len(expected), written, tuple(lines), leftovers, fault)
