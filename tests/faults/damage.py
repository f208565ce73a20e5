"""A seeded generator of damaged clips: six containers, six kinds of damage."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np

CLIPS = {
    # name: (ending, picture codec, its options, pixel format, sound codec)
    "mp4 (H.264, AAC)": (".mp4", "libx264", {"bf": "3", "g": "12"}, "yuv420p", "aac"),
    "mkv (H.264, Opus)": (".mkv", "libx264", {"bf": "8", "g": "60"}, "yuv420p", "libopus"),
    "mov (MJPEG, PCM)": (".mov", "mjpeg", {}, "yuvj420p", "pcm_s16le"),
    "avi (MPEG-4, PCM)": (".avi", "mpeg4", {"bf": "2"}, "yuv420p", "pcm_s16le"),
    "ts (MPEG-2, MP2)": (".ts", "mpeg2video", {"bf": "2"}, "yuv420p", "mp2"),
    "webm (VP9, Opus)": (".webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}, "yuv420p", "libopus"),
}
FRAMES = 30
KINDS = ("flip a bit", "noise", "zeros", "repeat", "cut off", "drop")


def make_clips(folder: Path, *, frames: int = FRAMES) -> dict[str, Path]:
    """Write one sound clip of each kind, by its name in :data:`CLIPS`; from libav alone."""
    from media_material import make_video, marked_rgb, tone

    paths = {}
    for name, (suffix, codec, options, pix_fmt, sound_codec) in CLIPS.items():
        sound = tone(frames / 25, 48_000)
        pictures = [marked_rgb(96, 96, number % 40) for number in range(frames)]
        paths[name] = make_video(
            folder / f"clip{suffix}",
            pictures=pictures,
            codec=codec,
            options=options,
            pix_fmt=pix_fmt,
            time_base=Fraction(1, 25),
            sound=sound,
            sound_rate=48_000,
            sound_codec=sound_codec,
        )
    return paths


def damaged(data: bytes, seed: int) -> tuple[str, bytes]:
    """Damage the middle of a file; the same seed gives the same damage.

    Args:
        data: a whole file; its first tenth stays, so that it is still recognised.
        seed: chooses kind, places and content.

    Returns:
        The kind of damage and the damaged file.
    """
    rng = random.Random(seed)
    kind, damaged = KINDS[seed % len(KINDS)], bytearray(data)
    for _ in range(rng.choice((1, 3, 8))):
        at = rng.randrange(len(damaged) // 10, max(len(damaged) * 97 // 100, len(damaged) // 10 + 1))
        length = min(rng.choice((64, 188, 1000)), len(damaged) - at)
        if kind == "flip a bit":
            damaged[at] ^= 1 << rng.randrange(8)
        elif kind == "noise":
            damaged[at : at + length] = rng.randbytes(length)
        elif kind == "zeros":
            damaged[at : at + length] = bytes(length)
        elif kind == "repeat":
            damaged[at:at] = damaged[max(at - length, 0) : at]
        elif kind == "drop":
            del damaged[at : at + length]
        else:
            del damaged[max(at, len(damaged) // 2) :]
    return kind, bytes(damaged)


def samples(picture: av.VideoFrame) -> np.ndarray:
    """All that is seen of a picture as bytes, without what fills its lines up."""
    step = 1 + any(component.bits > 8 for component in picture.format.components)
    planes = [np.frombuffer(plane, np.uint8).reshape(plane.height, -1) for plane in picture.planes]
    widths = [step * plane.width for plane in picture.planes]
    return np.concatenate([rows[:, :width].ravel() for rows, width in zip(planes, widths, strict=True)])


def one_thread_frames(path: Path) -> list[np.ndarray]:
    """Every picture that libav decodes with one thread, read errors skipped."""
    from thfem_core.media.source import TOLERANT

    pictures: list[np.ndarray] = []

    def decode(context: av.VideoCodecContext, packet: av.Packet | None) -> None:
        with suppress(av.error.FFmpegError):
            for picture in context.decode(packet):
                pictures.append(samples(picture))

    with av.open(str(path), **TOLERANT) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for packet in _packets(container, stream):
            decode(stream.codec_context, packet)
        decode(stream.codec_context, None)
    return pictures


def _packets(container, stream) -> Iterator:
    packets, failures = container.demux(stream), 0
    while failures < 3:
        try:
            packet = next(packets)
        except (StopIteration, av.error.EOFError):
            return
        except av.error.FFmpegError:
            failures += 1
            packets = container.demux(stream)
            continue
        if packet.size:
            yield packet
