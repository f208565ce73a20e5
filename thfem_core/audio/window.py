"""The log-mel columns that a network reads around a moment, exact to the sample at every frame rate."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import torch

from ..media.timing import time_to_sample
from .mel import columns_of_span, pre_emphasised, reflected_positions
from .profile import EAT, MelProfile
from .speech import Speech

_COLUMNS_AT_ONCE = 4096


def audio_windows(
    speech: Speech, times: Sequence[Fraction], *, profile: MelProfile, steps: int, normalise: bool
) -> torch.Tensor:
    """Compute the window of log-mel columns around each of some moments.

    The middle column is centred at the moment itself; for an even number of steps, the moment lies half-way between the
    two middle columns. Nothing is interpolated, and a window does not depend on the other moments. Before and after the
    sound there is silence.

    Args:
        speech: The sound; only the samples that windows cover are read.
        times: Moments of the clip in seconds, exact, in any order.
        profile: Which spectrogram.
        steps: Columns of a window.
        normalise: Whether speech is brought to one level first (:attr:`.speech.Speech.gain`).

    Returns:
        float32 (len(times), steps, n_mels).

    Raises:
        ValueError: The sound has another sample rate than the profile, or there are no steps.
    """
    _check(speech, profile, steps)
    back = (steps - 1) * profile.hop_length // 2
    starts = np.array([time_to_sample(Fraction(time), speech.sample_rate) - back for time in times], dtype=np.int64)
    centres = starts[:, None] + profile.hop_length * np.arange(steps)
    return _columns_at(speech, centres, profile, gain=speech.gain if normalise else 1.0, padding="zero")


def eat_windows(
    speech: Speech,
    frames: Sequence[int],
    frame_count: int,
    *,
    profile: MelProfile = EAT,
    reach: int = 5,
    outside: torch.Tensor | float = 0.0,
) -> torch.Tensor:
    """Compute windows as EAT's published code does: one column of the whole clip's spectrogram for each frame.

    Frame i has column i, so the clip should have as many frames per second as the profile has columns (25 for EAT).

    Args:
        speech: The sound.
        frames: Frame numbers.
        frame_count: Frames of the clip.
        profile: Which spectrogram.
        reach: Columns before and after that of the frame itself.
        outside: What frames outside the clip have: zeros as in training, or one column (n_mels,) as in inference.

    Returns:
        float32 (len(frames), 2 · reach + 1, n_mels).

    Raises:
        ValueError: The sound has another sample rate than the profile.
    """
    _check(speech, profile, 2 * reach + 1)
    index = np.asarray(frames, dtype=np.int64)[:, None] + np.arange(-reach, reach + 1)
    last = min(frame_count, 1 + len(speech.samples) // profile.hop_length)
    inside = (index >= 0) & (index < last)
    centres = np.where(inside, index, 0) * profile.hop_length
    columns = _columns_at(speech, centres, profile, gain=1.0, padding=profile.padding)
    return torch.where(torch.from_numpy(inside)[..., None], columns, torch.as_tensor(outside, dtype=torch.float32))


def _check(speech: Speech, profile: MelProfile, steps: int) -> None:
    if speech.sample_rate != profile.sample_rate:
        raise ValueError(
            f"the sound has {speech.sample_rate} Hz but the mel profile {profile.name} needs {profile.sample_rate} Hz"
        )
    if steps < 1:
        raise ValueError(f"an audio window of {steps} steps has nothing in it; give 1 or more")


def _columns_at(speech: Speech, centres: np.ndarray, profile: MelProfile, *, gain: float, padding: str) -> torch.Tensor:
    """Compute columns centred at any samples, each distinct one once.

    Windows of neighbouring frames share most of their columns. So the distinct centres are collected, those that follow
    each other by one hop are joined to runs, and a run is one spectrogram; runs of equal length are computed together.

    Args:
        speech: The sound.
        centres: int (B, S), samples.
        profile: Which spectrogram.
        gain: Factor on the samples.
        padding: As in :class:`.profile.MelProfile`.

    Returns:
        float32 (B, S, n_mels).
    """
    if not centres.size:
        return torch.zeros(*centres.shape, profile.n_mels)
    hop = profile.hop_length
    # Each centre gets a code; one hop later is the next code, and no code joins centres on different grids of hops.
    rows, phase = np.divmod(centres, hop)
    rows -= rows.min()
    codes, inverse = np.unique(phase * (rows.max() + 2) + rows, return_inverse=True)
    distinct = np.zeros(len(codes), dtype=np.int64)
    distinct[inverse.ravel()] = centres.ravel()
    table = torch.empty(len(codes), profile.n_mels)
    for run_starts, length in _runs_by_length(codes):
        spans = np.stack([_span(speech.samples, distinct[i], length, profile, padding) for i in run_starts])
        # in double precision the grouping cannot show in the single precision result
        columns = columns_of_span(torch.from_numpy(spans * gain), profile).float()
        for i, values in zip(run_starts, columns, strict=True):
            table[i : i + length] = values
    return table[torch.from_numpy(inverse.reshape(centres.shape))]


def _runs_by_length(codes: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """Split rising integers into runs of consecutive ones, and batch runs of equal length.

    Returns:
        Batches of at most about _COLUMNS_AT_ONCE integers: indices at which runs start, and the length of these runs.
    """
    edges = np.flatnonzero(np.diff(codes, prepend=codes[0] - 2, append=codes[-1] + 2) != 1)
    pieces = [
        (start, min(_COLUMNS_AT_ONCE, stop - start))
        for first, stop in pairwise(edges.tolist())
        for start in range(first, stop, _COLUMNS_AT_ONCE)
    ]
    starts, lengths = np.array(pieces, dtype=np.int64).T
    batches = []
    for length in np.unique(lengths):
        equal = starts[lengths == length]
        size = max(1, _COLUMNS_AT_ONCE // int(length))
        batches += [(equal[i : i + size], int(length)) for i in range(0, len(equal), size)]
    return batches


def _span(samples: np.ndarray, centre: int, columns: int, profile: MelProfile, padding: str) -> np.ndarray:
    """The pre-emphasised samples of some columns, padded where there are none.

    Args:
        samples: float32 (N,), the whole sound.
        centre: Sample at which the first column is centred.
        columns: How many columns follow each other.
        profile: Which spectrogram.
        padding: What lies beyond the ends.

    Returns:
        float64 (n_fft + (columns − 1) · hop_length,).
    """
    count, start = len(samples), int(centre) - profile.n_fft // 2
    length = profile.n_fft + (columns - 1) * profile.hop_length
    positions = np.arange(start, start + length)
    if padding == "reflect" and count:
        positions = reflected_positions(start, start + length, count)
    low, high = max(int(positions.min()), 0), min(int(positions.max()) + 1, count)
    span = np.zeros(length)
    if low >= high:
        return span
    lead = min(low, 1)  # pre-emphasis looks one sample back
    known = torch.from_numpy(samples[low - lead : high].astype(np.float64))
    inside = (positions >= low) & (positions < high)
    span[inside] = pre_emphasised(known, profile.pre_emphasis).numpy()[lead:][positions[inside] - low]
    return span
