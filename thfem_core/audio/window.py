"""The log-mel window that a talking head hears with a frame, exact to the sample at every frame rate."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch

from ..media.timing import frame_time, time_to_sample
from .mel import columns_of_span, pre_emphasised, reflected_positions
from .profile import EAT, WAV2LIP, MelProfile
from .speech import Speech

_COLUMNS_AT_ONCE = 4096


def audio_windows(
    speech: Speech, times: Sequence[Fraction], *, profile: MelProfile, steps: int, normalise: bool
) -> torch.Tensor:
    """The log-mel window centred at each of ``times`` (seconds of the clip, exact; any order).

    Column ``k`` is centred at sample ``floor(time · rate) − ((steps − 1) · hop) // 2 + k · hop``: the middle column at
    the moment itself, or, for an even number of steps, the moment half-way between the two middle columns. Nothing is
    interpolated and nothing depends on the other times. Before and after the sound there is silence.
    normalise: bring the speech to one level first (:attr:`.speech.Speech.gain`).
    Returns float32 (len(times), steps, n_mels). Reads only the samples the windows cover; columns that windows share
    are computed once. Raises ValueError for another sample rate or no steps.
    """
    _check(speech, profile, steps)
    back = (steps - 1) * profile.hop_length // 2
    starts = np.array([time_to_sample(Fraction(time), speech.sample_rate) - back for time in times], dtype=np.int64)
    centres = starts[:, None] + profile.hop_length * np.arange(steps)
    return _columns(speech, centres, profile, gain=speech.gain if normalise else 1.0, padding="zero")


def wav2lip_windows(speech: Speech, frames: Sequence[int], frame_rate: Fraction, *, steps: int = 16) -> torch.Tensor:
    """The windows of Wav2Lip and its SyncNet: ``steps`` columns *from* column floor(80 · frame / rate) on.

    80 columns per second, 16 of them for 5 frames at 25 fps. Level as it is. Returns float32 (len(frames), steps, 80).
    """
    _check(speech, WAV2LIP, steps)
    hop, rate = WAV2LIP.hop_length, WAV2LIP.sample_rate
    starts = np.array(
        [hop * time_to_sample(frame_time(frame, frame_rate), rate // hop) for frame in frames], dtype=np.int64
    )
    return _columns(speech, starts[:, None] + hop * np.arange(steps), WAV2LIP, gain=1.0, padding="zero")


def eat_windows(
    speech: Speech,
    frames: Sequence[int],
    frame_count: int,
    *,
    profile: MelProfile = EAT,
    reach: int = 5,
    outside: torch.Tensor | float = 0.0,
) -> torch.Tensor:
    """The windows of EAT: the columns of the frames ``reach`` before to ``reach`` after, one column for each frame.

    Frame i hears column i of the whole clip's spectrogram (so the clip should have the profile's column rate: 25 fps
    for EAT). Frames before 0 and from frame_count on hear ``outside``: zeros as in training, or one column (n_mels,)
    of silence as in inference. Returns float32 (len(frames), 2 · reach + 1, n_mels).
    """
    steps = 2 * reach + 1
    _check(speech, profile, steps)
    index = np.asarray(frames, dtype=np.int64)[:, None] + np.arange(-reach, reach + 1)
    last = min(frame_count, 1 + len(speech.samples) // profile.hop_length)
    inside = (index >= 0) & (index < last)
    centres = np.where(inside, index, 0) * profile.hop_length
    columns = _columns(speech, centres, profile, gain=1.0, padding=profile.padding)
    return torch.where(torch.from_numpy(inside)[..., None], columns, torch.as_tensor(outside, dtype=torch.float32))


def _check(speech: Speech, profile: MelProfile, steps: int) -> None:
    if speech.sample_rate != profile.sample_rate:
        raise ValueError(
            f"the sound has {speech.sample_rate} Hz but the mel profile {profile.name} needs {profile.sample_rate} Hz"
        )
    if steps < 1:
        raise ValueError(f"an audio window of {steps} steps has nothing in it; give 1 or more")


def _columns(speech: Speech, centres: np.ndarray, profile: MelProfile, *, gain: float, padding: str) -> torch.Tensor:
    """Columns centred at any samples: (B, S) int → float32 (B, S, n_mels); each distinct one is computed once."""
    if not centres.size:
        return torch.zeros(*centres.shape, profile.n_mels)
    hop, half = profile.hop_length, profile.n_fft // 2
    rows, phase = np.divmod(centres, hop)
    rows -= rows.min()
    # neighbours on one grid of hops get consecutive codes; grids are kept apart by a gap
    codes, inverse = np.unique(phase * (rows.max() + 2) + rows, return_inverse=True)
    first = np.zeros(len(codes), dtype=np.int64)
    first[inverse.ravel()] = centres.ravel()
    breaks = np.flatnonzero(np.diff(codes) != 1) + 1
    runs = [
        run[i : i + _COLUMNS_AT_ONCE] for run in np.split(first, breaks) for i in range(0, len(run), _COLUMNS_AT_ONCE)
    ]
    table = torch.empty(len(codes), profile.n_mels)
    filled = np.cumsum([0, *map(len, runs)])
    for length in sorted(set(map(len, runs))):
        equal = [number for number, run in enumerate(runs) if len(run) == length]
        batch = max(1, _COLUMNS_AT_ONCE // length)
        for begin in range(0, len(equal), batch):
            chosen = equal[begin : begin + batch]
            spans = np.stack(
                [
                    _span(speech.samples, int(runs[n][0]) - half, profile.n_fft + (length - 1) * hop, profile, padding)
                    for n in chosen
                ]
            )
            # in double precision the grouping cannot show in the single precision result
            columns = columns_of_span(torch.from_numpy(spans * gain), profile).float()
            for number, values in zip(chosen, columns, strict=True):
                table[filled[number] : filled[number + 1]] = values
    return table[torch.from_numpy(inverse.reshape(centres.shape))]


def _span(samples: np.ndarray, start: int, length: int, profile: MelProfile, padding: str) -> np.ndarray:
    """float64 (length,): the pre-emphasised samples from ``start`` on, padded where there are none."""
    count = len(samples)
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
