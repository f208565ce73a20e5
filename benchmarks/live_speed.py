"""How long a user waits: a move of a slider in a preview, and edits of one clip one after another.

    python -m benchmarks.live_speed [CLIP]

Without a clip it makes five seconds of 720p of the demo clip. Wall time depends on what else the machine does; CPU
seconds of the process hardly do.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import torch

from thfem_core.expression.request import ExpressionRequest
from thfem_core.face.tracking.track import FaceTracks
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.open_video import open_video
from thfem_core.media.video import Video
from thfem_core.media.writer import write_video
from thfem_core.pipeline import EditConfig, edit, find_faces
from thfem_core.pipeline.preview import ClipPreview

DEMO = Path(__file__).parents[1] / "thfem_core" / "assets" / "demo.mp4"
FRAMES, HEIGHT, WIDTH = 125, 720, 1280


def main(folder: Path, clip: Path | None) -> None:
    """Measure and print.

    Args:
        folder: For files that are made on the way.
        clip: What to edit; None makes a clip.
    """
    video, device = open_video(clip or made_clip(folder)), torch.device("cpu")

    def whole(request: ExpressionRequest) -> None:
        work = edit(video, EditConfig(request=request), device=device, keep_faces=True)
        write_video(work.frames(), folder / "out.mp4", like=video)

    previews(video, None)
    measured("edit, first run", lambda: whole(ExpressionRequest(emotion="happy")))
    measured("edit, another emotion", lambda: whole(ExpressionRequest(emotion="sad")))
    measured("edit, another strength", lambda: whole(ExpressionRequest(emotion="sad", strength=0.7)))

    previews(video, find_faces(video, device=device))


def previews(video: Video, tracks: FaceTracks | None) -> None:
    """Measure previews, with the faces of the whole clip or without (before anything has tracked the clip)."""
    known = "frames around tracked" if tracks is None else "whole clip tracked"
    preview = ClipPreview(video, device=torch.device("cpu"), tracks=tracks)
    middle = preview.frame_count // 2

    def seen(index: int, strength: float) -> Callable[[], None]:
        config = EditConfig(request=ExpressionRequest(emotion="happy", strength=strength))

        def look() -> None:
            preview.edit(index, config)

        return look

    measured(f"preview ({known}), first picture", seen(middle, 1.0))
    moves = [measured("", seen(middle, 0.1 * step)) for step in range(1, 11)]
    print(f"preview ({known}), a slider moves: {told(moves)}")
    moves = [measured("", seen(middle + 3 * step, 1.0)) for step in range(1, 11)]
    print(f"preview ({known}), the moment moves: {told(moves)}")


def measured(name: str, work: Callable[[], None]) -> tuple[float, float]:
    """Wall time and CPU time of some work, in seconds; printed where it has a name."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    took = time.perf_counter() - wall, time.process_time() - cpu
    if name:
        print(f"{name}: {told([took])}")
    return took


def told(times: list[tuple[float, float]]) -> str:
    """The median of some measurements."""
    wall, cpu = np.median(np.array(times), axis=0)
    return f"{wall:.2f} s, {cpu:.2f} CPU s"


def made_clip(folder: Path) -> Path:
    """Five seconds of 720p: the demo clip, enlarged, between black borders."""
    path, source = folder / "demo_720p.mp4", open_video(DEMO)
    pictures = np.zeros((FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    border = (WIDTH - HEIGHT) // 2
    for frame in source.frames():
        if frame.index < FRAMES:
            large = cv2.resize(frame.rgb(), (HEIGHT, HEIGHT), interpolation=cv2.INTER_CUBIC)
            pictures[frame.index, :, border : border + HEIGHT] = large
    video = ArrayVideo(pictures, Fraction(25))
    write_video(video.frames(), path, like=source)
    return path


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(Path(made), Path(sys.argv[1]) if len(sys.argv) > 1 else None)
