"""Pauses: where nothing is said any pairing costs the same, so the pace there is made even."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..audio.speech import NORMAL_LEVEL, Speech
from ..media.timing import frame_to_sample
from .dtw import WarpingPath

_QUIET = NORMAL_LEVEL / 100  # RMS, 40 dB below speech


def quiet_frames(speech: Speech, frame_rate: Fraction, frame_count: int) -> np.ndarray:
    """Find the frames during which nobody speaks.

    Args:
        speech: The sound of the clip.
        frame_rate: Frames per second.
        frame_count: Frames of the clip.

    Returns:
        bool (frame_count,), True where the sound is 40 dB below speech.
    """
    quiet = np.ones(frame_count, dtype=bool)
    for frame in range(frame_count):
        start, stop = (frame_to_sample(frame + edge, frame_rate, speech.sample_rate) for edge in (0, 1))
        samples = speech.samples[start:stop]
        if len(samples):
            quiet[frame] = speech.gain * np.sqrt(np.square(samples, dtype=np.float64).mean()) < _QUIET
    return quiet


def with_even_pauses(path: WarpingPath, first_quiet: np.ndarray, second_quiet: np.ndarray) -> np.ndarray:
    """Match frames as :meth:`.dtw.WarpingPath.matches`, but run evenly through stretches where both clips are quiet.

    In a pause any pairing costs the same; warping alone would hold one frame there and skip others.

    Args:
        path: Warping of N frames onto M.
        first_quiet: bool (N,), frames of the first clip without speech.
        second_quiet: bool (M,), frames of the second clip without speech.

    Returns:
        int (N,), for each frame of the first clip one of the second; never goes back.
    """
    target = path.matches().copy()
    quiet = np.concatenate([[False], first_quiet[path.first] & second_quiet[path.second], [False]])
    edges = np.flatnonzero(np.diff(quiet.astype(np.int8)))
    for start, stop in zip(edges[::2], edges[1::2] - 1, strict=True):
        rows, goals = path.first[[start, stop]], path.second[[start, stop]]
        if rows[0] == rows[1]:
            continue
        inside = np.arange(rows[0], rows[1] + 1)
        even = np.rint(np.interp(inside, rows, goals)).astype(target.dtype)
        # a row that is met before the pause already keeps its earliest match
        target[inside] = np.where(target[inside] < goals[0], target[inside], even)
    return target
