"""Log-mel spectrograms by torch, on any device and differentiable, with librosa's filter banks."""

from __future__ import annotations

from functools import lru_cache

import librosa
import numpy as np
import torch

from .profile import MelProfile


@lru_cache(maxsize=8)
def mel_basis(profile: MelProfile) -> np.ndarray:
    """The triangles of a profile: float64 (n_mels, n_fft // 2 + 1), read only."""
    basis = librosa.filters.mel(
        sr=profile.sample_rate,
        n_fft=profile.n_fft,
        n_mels=profile.n_mels,
        fmin=profile.fmin,
        fmax=profile.fmax,
        htk=profile.mel_scale == "htk",
        norm="slaney" if profile.area_norm else None,
        dtype=np.float64,
    )
    basis.flags.writeable = False
    return basis


def pre_emphasised(samples: torch.Tensor, factor: float) -> torch.Tensor:
    """Filter sound by ``x[n] − factor · x[n−1]``.

    Args:
        samples: (..., N); before the first sample there is silence.
        factor: 0 leaves the sound as it is.

    Returns:
        (..., N).
    """
    if not factor:
        return samples
    return torch.cat([samples[..., :1], samples[..., 1:] - factor * samples[..., :-1]], dim=-1)


def reflected_positions(start: int, stop: int, count: int) -> np.ndarray:
    """Mirror positions at both ends of a sound.

    Args:
        start: First position, may be negative.
        stop: Last position + 1, may lie beyond the end.
        count: Samples of the sound, at least 1.

    Returns:
        int (stop − start,), indices 0..count−1.
    """
    period = max(2 * (count - 1), 1)
    position = np.arange(start, stop) % period
    return np.minimum(position, period - position) if count > 1 else np.zeros_like(position)


def columns_of_span(span: torch.Tensor, profile: MelProfile) -> torch.Tensor:
    """Compute log-mel columns of samples that are pre-emphasised and padded already.

    Args:
        span: float (..., n_fft + (T − 1) · hop_length); column ``c`` covers the n_fft samples from ``c · hop_length``
            on.
        profile: Which spectrogram.

    Returns:
        (..., T, n_mels), of the dtype and on the device of ``span``.
    """
    flat = span.reshape(-1, span.shape[-1])
    spectrum = torch.stft(
        flat,
        profile.n_fft,
        hop_length=profile.hop_length,
        win_length=profile.win_length,
        window=torch.hann_window(profile.win_length, dtype=span.dtype, device=span.device),
        center=False,
        return_complex=True,
    )
    if profile.power == 2:
        loudness = spectrum.real.square() + spectrum.imag.square()
    else:
        loudness = spectrum.abs() ** profile.power
    basis = torch.as_tensor(np.array(mel_basis(profile)), dtype=span.dtype, device=span.device)
    mel = loudness.transpose(1, 2) @ basis.T
    mel = mel + profile.floor if profile.floor_added else mel.clamp_min(profile.floor)
    value = mel.log() * (profile.gain / float(np.log(profile.log_base))) + profile.offset
    if profile.limits is not None:
        value = value.clamp(*profile.limits)
    return value.reshape(*span.shape[:-1], *value.shape[1:])


def log_mel(samples: torch.Tensor, profile: MelProfile) -> torch.Tensor:
    """Compute the log-mel spectrogram of a whole sound; differentiable.

    Args:
        samples: float (..., N) at ``profile.sample_rate``, nominally −1..1.
        profile: Which spectrogram.

    Returns:
        (..., 1 + N // hop_length, n_mels), of the dtype and on the device of the samples. Column ``c`` is centred at
        sample ``c · hop_length``; beyond the ends lies what ``profile.padding`` says.
    """
    count, half = samples.shape[-1], profile.n_fft // 2
    emphasised = pre_emphasised(samples, profile.pre_emphasis)
    if profile.padding == "reflect" and count:
        order = reflected_positions(-half, count + half, count)
        padded = emphasised[..., torch.as_tensor(order, device=samples.device)]
    else:
        padded = torch.nn.functional.pad(emphasised, (half, half))
    return columns_of_span(padded, profile)
