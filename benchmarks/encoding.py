"""What encoding costs and keeps, for x264's presets and our own choice.

    python -m benchmarks.encoding CLIP [CLIP ...]

The first seconds of each clip are written through the pack's own writer: bytes, processor seconds, and PSNR of the
luma against the decoded source.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import numpy as np

from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.encoding import EncodingConfig
from thfem_core.media.open_video import open_video
from thfem_core.media.writer import write_video

from .judge import markdown_table

PRESETS = (None, "ultrafast", "superfast", "veryfast", "faster", "medium")
EVERY = 5  # frames between those whose PSNR is taken


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """kilobytes: size of the file. seconds: of the processor. psnr: in dB, mean over frames."""

    kilobytes: float
    seconds: float
    psnr: float


def luma(path: Path, frames: int) -> Iterator[np.ndarray]:
    """Every EVERY-th frame's luma, 0..255."""
    with av.open(str(path)) as file:
        for frame in islice(file.decode(video=0), 0, frames, EVERY):
            yield frame.to_ndarray(format="gray").astype(np.float32)


def written(clip: Path, preset: str | None, seconds: float, folder: Path) -> Written:
    """Write the first seconds of a clip."""
    video = open_video(clip)
    frames = list(islice(video.frames(), round(seconds * video.info.frame_rate)))
    silent = ArrayVideo(frames[0].rgb()[None], video.info.frame_rate)
    path = folder / "written.mp4"
    start = time.process_time()
    write_video((frame for frame in frames), path, like=silent, encoding=EncodingConfig(preset=preset))
    spent = time.process_time() - start
    error = [np.square(a - b).mean() for a, b in zip(luma(clip, len(frames)), luma(path, len(frames)), strict=True)]
    psnr = float(np.mean(10 * np.log10(255**2 / np.array(error))))
    return Written(kilobytes=path.stat().st_size / 1000, seconds=spent, psnr=psnr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    parser.add_argument("--seconds", type=float, default=4.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for preset in PRESETS:
            results = [written(clip, preset, args.seconds, Path(folder)) for clip in args.clips]
            cells = [f"{r.kilobytes:.0f} kB, {r.seconds:.2f} s, {r.psnr:.1f} dB" for r in results]
            rows.append((preset or "(default)", *cells))
    print(markdown_table(["preset", *(clip.stem for clip in args.clips)], rows))


if __name__ == "__main__":
    main()
