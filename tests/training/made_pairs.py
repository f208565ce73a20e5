"""Clips that say the same words at another pace, and the pairs built from them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import librosa
import numpy as np

from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.sound import Sound, join_sound
from thfem_core.media.writer import write_video

PACE = (1.25, 0.8, 1.1)  # of three parts of a clip


def speech_and_pictures(path: Path, *, seconds: Fraction, side: int) -> tuple[np.ndarray, np.ndarray]:
    """16 kHz mono sound (N,) and small pictures (T, side, side, 3) of the beginning of a clip."""
    video = FileVideo(path, duration=seconds)
    sound = join_sound(video.sound_blocks())
    assert sound is not None
    pictures = [cv2.resize(frame.rgb(), (side, side), interpolation=cv2.INTER_AREA) for frame in video.frames()]
    return np.array(sound.mono().resampled(16000).samples[0]), np.stack(pictures)


def warped(sound: np.ndarray, pictures: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The clip with its thirds at other paces.

    Returns:
        Sound, pictures, and for each frame of the original its place in the warped clip (float).
    """
    edges = np.linspace(0, len(sound), len(PACE) + 1).astype(int)
    parts = [librosa.effects.time_stretch(sound[a:b], rate=p) for a, b, p in zip(edges, edges[1:], PACE, strict=False)]
    after = np.cumsum([0, *map(len, parts)])
    place = np.interp(np.arange(len(pictures)) / rate * 16000, edges, after) / 16000 * rate
    count = int(after[-1] / 16000 * rate)
    shown = np.interp(np.arange(count), place, np.arange(len(pictures))).round().astype(int)
    return np.concatenate(parts).astype(np.float32), pictures[shown], place


def write_clip_with_sound(path: Path, pictures: np.ndarray, sound: np.ndarray, rate: int = 25) -> None:
    clip = ArrayVideo(pictures, Fraction(rate), sound=Sound(sound[None].astype(np.float32), 16000))
    write_video(clip.frames(), path, like=clip)
