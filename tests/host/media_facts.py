"""What a media file holds, read with PyAV alone, independently of the package under test."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


@dataclass(frozen=True)
class Facts:
    """frames: uint8 (T, H, W, 3). times: seconds from the first frame. samples: (channels, N) or None."""

    frames: np.ndarray
    times: tuple[Fraction, ...]
    rate: Fraction
    samples: np.ndarray | None
    metadata: dict[str, str]


def facts(path: Path) -> Facts:
    with av.open(str(path)) as file:
        pictures = list(file.decode(video=0))
        times = tuple((picture.pts - pictures[0].pts) * picture.time_base for picture in pictures)
        frames = np.stack([picture.to_ndarray(format="rgb24") for picture in pictures])
        rate = Fraction(file.streams.video[0].average_rate)
        metadata = dict(file.metadata)
    samples = None
    with av.open(str(path)) as file:
        if file.streams.audio:
            samples = np.concatenate([block.to_ndarray() for block in file.decode(audio=0)], axis=-1)
    return Facts(frames=frames, times=times, rate=rate, samples=samples, metadata=metadata)


def changed(before: Facts, after: Facts) -> np.ndarray:
    """Mean absolute difference per frame, in grey levels."""
    difference = np.abs(before.frames.astype(np.int16) - after.frames.astype(np.int16))
    return difference.mean(axis=(1, 2, 3))


def write_plain_clip(path: Path, *, frames: int = 12, size: tuple[int, int] = (160, 96)) -> None:
    """A silent clip without any face: a slowly moving gradient."""
    width, height = size
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        ramp = np.add.outer(np.arange(height), np.arange(width))
        for number in range(frames):
            grey = ((ramp + 3 * number) % 256).astype(np.uint8)
            picture = av.VideoFrame.from_ndarray(np.repeat(grey[..., None], 3, axis=2), format="rgb24")
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
