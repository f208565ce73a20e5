"""The frames of two clips in which the same is said: found by dynamic time warping, or read from a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from thfem_core.alignment.clips import speech_features
from thfem_core.alignment.dtw import dtw_path
from thfem_core.alignment.pauses import quiet_frames, with_even_pauses
from thfem_core.audio.speech import Speech
from thfem_core.errors import InputError
from thfem_core.media.open_video import open_video
from thfem_core.media.sound_file import read_sound

from .layouts import DatasetClip


def speech_of(clip: DatasetClip) -> Speech:
    """The speech of a clip, from its own sound file where it has one. Raises InputError where there is none."""
    if clip.sound is not None:
        sound = read_sound(clip.sound)
        speech = None if sound is None else Speech.from_sound(sound)
    else:
        speech = Speech.from_video(open_video(clip.video))
    if speech is None or not speech.level:
        raise InputError(f"{clip.name} has no sound to align by; add it to the video or beside it")
    return speech


def align(source: DatasetClip, target: DatasetClip) -> tuple[np.ndarray, float]:
    """For each frame of ``source`` the frame of ``target`` in which the same is said, and the mean cost per step.

    MFCC at the first sample of each frame, L1 cost, steps diagonal, up, left, first match; pauses run evenly.
    """
    rows, quiet = [], []
    for clip in (source, target):
        video, speech = open_video(clip.video), speech_of(clip)
        count = video.info.frame_count or sum(1 for _ in video.frames())
        rows.append(speech_features(speech, video.info.frame_rate, count, features="mfcc"))
        quiet.append(quiet_frames(speech, video.info.frame_rate, count))
    path = dtw_path(*rows)
    return with_even_pauses(path, *quiet), path.mean_cost


def read_alignment(path: Path) -> np.ndarray:
    """A frame map made elsewhere.

    Args:
        path: ``.npy`` or ``.json`` with one target frame per source frame, or with (source, target) frames of each step
            of a warping path, of which the first match of each source frame counts; ``.txt`` with one step per line.

    Raises:
        InputError: the file holds something else.
    """
    try:
        if path.suffix == ".npy":
            steps = np.load(path, allow_pickle=False)
        elif path.suffix == ".json":
            steps = np.array(json.loads(path.read_text(encoding="utf-8")))
        else:
            text = path.read_text(encoding="utf-8")
            steps = (
                np.loadtxt(text.splitlines(), ndmin=2, delimiter="," if "," in text else None) if text.strip() else []
            )
        steps = np.asarray(steps)
        if not steps.size or not np.array_equal(steps, np.round(steps)):  # nan equals nothing
            raise ValueError("it must hold whole numbers")
        steps = steps[:, 0] if steps.ndim == 2 and steps.shape[1] == 1 else steps
        if steps.ndim == 2:
            frames, first = np.unique(steps[:, 0], return_index=True)
            if not np.array_equal(frames, np.arange(len(frames))):
                raise ValueError("source frames are missing")
            steps = steps[first, 1]
        frame_map = np.asarray(steps, np.int64)
        if frame_map.ndim != 1 or frame_map.min() < 0 or np.any(np.diff(frame_map) < 0):
            raise ValueError("it must not go back")
    except (ValueError, OSError, IndexError, TypeError, EOFError) as error:
        raise InputError(
            f"{path} is no alignment of frames ({error}); see training.data.pair_alignment.read_alignment"
        ) from None
    return frame_map
