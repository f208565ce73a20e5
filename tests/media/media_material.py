"""Clips made on the spot for the media tests."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from thfem_core.media.yuv.colour import ColourTags
from thfem_core.media.yuv.pixel_format import pixel_layout
from thfem_core.media.yuv.planar_frame import picture_from_rgb
from thfem_core.media.yuv.planes import plane_views

REAL_CLIPS = Path(os.environ.get("THFEM_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "full"
TURNS = {  # degrees clockwise -> the matrix (a b, c d) of the tkhd box
    0: (1, 0, 0, 1),
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
    "mirror": (-1, 0, 0, 1),
}


def smooth_rgb(width: int, height: int, seed: int = 0) -> np.ndarray:
    """A colourful picture without fine detail, well inside the gamut; uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 196, (4, 5, 3)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).round().astype(np.uint8)


def marked_rgb(width: int, height: int, number: int) -> np.ndarray:
    """A picture that says its number: grey level 16 + 4 * number in a smooth surround."""
    picture = smooth_rgb(width, height)
    picture[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = 16 + 4 * number
    return picture


def read_mark(picture: np.ndarray) -> int:
    """The number of a :func:`marked_rgb` picture, after coding."""
    height, width = picture.shape[:2]
    middle = picture[3 * height // 8 : 5 * height // 8, 3 * width // 8 : 5 * width // 8]
    return round((float(middle.mean()) - 16) / 4)


def tone(seconds: float, rate: int, channels: int = 1, seed: int = 1) -> np.ndarray:
    """Speech-like noise bursts, float32 (channels, T): sharp in correlation."""
    rng = np.random.default_rng(seed)
    count = int(seconds * rate)
    noise = cv2.GaussianBlur(rng.standard_normal((1, count)).astype(np.float32), (9, 1), 1.5)
    envelope = (np.sin(np.arange(count) / rate * 2 * np.pi * 3.1) > 0).astype(np.float32)
    return np.repeat(0.3 * noise * envelope, channels, axis=0)


def make_video(
    path: Path | str,
    *,
    pictures: Sequence[np.ndarray],
    rate: Fraction = Fraction(25),
    pix_fmt: str = "yuv420p",
    stored_format: str | None = None,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    tags: ColourTags | None = None,
    ticks: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    sound: np.ndarray | None = None,
    sound_rate: int = 16_000,
    sound_codec: str = "aac",
    sound_start: float = 0.0,
    metadata: dict[str, str] | None = None,
    alpha: np.ndarray | None = None,
) -> Path:
    """Encode RGB pictures with libav alone (not with the code under test, but for the colour conversion)."""
    path, tags = Path(path), tags or ColourTags()
    layout = pixel_layout(pix_fmt)
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as output:
        output.metadata.update(metadata or {})
        stream = output.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, stored_format or pix_fmt
        context = stream.codec_context
        context.time_base = time_base or 1 / rate
        context.color_range, context.colorspace = tags.range, tags.matrix
        context.color_primaries, context.color_trc = tags.primaries, tags.transfer
        track = None
        if sound is not None:
            names = {1: "mono", 2: "stereo"}
            track = output.add_stream(sound_codec, rate=sound_rate, layout=names[len(sound)])
        for number, rgb in enumerate(pictures):
            picture = picture_from_rgb(rgb, layout, tags)
            if alpha is not None:
                plane_views(picture, layout)[layout.alpha][...] = alpha
            picture.pts = number if ticks is None else ticks[number]
            picture.time_base = context.time_base
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
        if track is not None:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound), format="fltp", layout=names[len(sound)])
            frame.sample_rate, frame.pts = sound_rate, round(sound_start * sound_rate)
            frame.time_base = Fraction(1, sound_rate)
            output.mux(track.encode(frame))
            output.mux(track.encode(None))
    return path


def turn_container(path: Path, turn: int | str) -> None:
    """Store a display matrix in the first track header of an MP4 file, as a phone does."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 4 + 20 + 16  # version and flags, times and ids, layer and volume
    a, b, c, d = (value * 0x10000 for value in TURNS[turn])
    struct.pack_into(">9i", data, start, a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(data)


def lag_milliseconds(first: np.ndarray, second: np.ndarray, rate: int) -> float:
    """By how much ``second`` lags behind ``first``, by cross-correlation of their first channels."""
    size = max(first.shape[1], second.shape[1])
    a, b = (np.fft.rfft(part[0], 2 * size) for part in (first, second))
    correlation = np.fft.irfft(b * np.conj(a))
    peak = int(np.argmax(correlation))
    return 1000.0 * (peak if peak < size else peak - 2 * size) / rate
