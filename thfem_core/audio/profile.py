"""What a log-mel spectrogram is, as data: one profile for each system that looks at sound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class MelProfile:
    """A log-mel spectrogram: one column of ``n_mels`` values every ``hop_length`` samples.

    A value is ``gain · log_base(mel) + offset``, clipped to ``limits``.

    name: Name for messages.
    n_fft: Samples that a column looks at, centred at sample ``column · hop_length``.
    win_length: Length of the periodic Hann window in the middle of these samples.
    hop_length: Samples from one column to the next.
    fmin: Lower edge of the lowest mel band, in Hz.
    fmax: Upper edge of the highest mel band, in Hz.
    mel_scale: Formula of the mel scale, as librosa names them.
    area_norm: Whether triangles are divided by half their width in Hz (Slaney); else they have height 1.
    gain: Factor on the logarithm.
    offset: Added to it.
    floor_added: Whether ``floor`` is added to mel; else mel is at least ``floor``.
    sample_rate: Of the sound, in Hz.
    n_mels: Number of mel bands.
    power: Exponent of the magnitude: 1 for magnitudes, 2 for energies.
    pre_emphasis: p of the filter ``x[n] − p · x[n−1]`` that comes before everything else; 0 for none.
    padding: What lies beyond the ends of the sound.
    log_base: Base of the logarithm.
    floor: Least value whose logarithm is taken.
    limits: Lowest and highest value, or None.
    """

    name: str
    n_fft: int
    win_length: int
    hop_length: int
    fmin: float
    fmax: float
    mel_scale: Literal["htk", "slaney"]
    area_norm: bool
    gain: float
    offset: float
    floor_added: bool
    sample_rate: int = 16_000
    n_mels: int = 80
    power: int = 2
    pre_emphasis: float = 0.0
    padding: Literal["reflect", "zero"] = "zero"
    log_base: float = math.e
    floor: float = 1e-5
    limits: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.win_length <= self.n_fft or self.hop_length <= 0:
            raise ValueError(
                f"mel profile {self.name}: window {self.win_length}, FFT {self.n_fft}, hop {self.hop_length}; "
                "give 0 < window ≤ FFT and a hop above 0"
            )
        if not 0 <= self.fmin < self.fmax <= self.sample_rate / 2:
            raise ValueError(
                f"mel profile {self.name}: bands from {self.fmin:g} to {self.fmax:g} Hz; "
                f"give 0 ≤ fmin < fmax ≤ {self.sample_rate / 2:g}"
            )
        if self.floor <= 0:
            raise ValueError(f"mel profile {self.name}: the floor is {self.floor:g}; give a number above 0")

    @property
    def silence(self) -> float:
        """The value of every band in perfect silence."""
        value = self.gain * math.log(self.floor, self.log_base) + self.offset
        return value if self.limits is None else min(max(value, self.limits[0]), self.limits[1])


# Wav2Lip and its SyncNet: 20 log10(mel) − 20 dB, then −100..0 dB onto −4..4
WAV2LIP = MelProfile(
    name="wav2lip",
    n_fft=800,
    win_length=800,
    hop_length=200,
    fmin=55.0,
    fmax=7600.0,
    mel_scale="slaney",
    area_norm=True,
    power=1,
    pre_emphasis=0.97,
    log_base=10.0,
    gain=1.6,
    offset=2.4,
    floor_added=False,
    limits=(-4.0, 4.0),
)


def _eat(name: str, hop: int) -> MelProfile:
    return MelProfile(
        name=name,
        n_fft=2048,
        win_length=hop,
        hop_length=hop,
        fmin=0.0,
        fmax=8000.0,
        mel_scale="htk",
        area_norm=False,
        padding="reflect",
        gain=0.25,
        offset=1.0,
        floor_added=True,
    )


# EAT: one column for each frame at 25 fps
EAT = _eat("eat", 640)
# THFEM as released reads this as one column for each frame at 30 fps; in truth it is 29.63 columns per second
EAT_COMPAT = _eat("eat-compat", 540)

# The embedded talking head: 100 columns per second
COMPACT = MelProfile(
    name="compact",
    n_fft=512,
    win_length=400,
    hop_length=160,
    fmin=0.0,
    fmax=8000.0,
    mel_scale="slaney",
    area_norm=True,
    gain=0.25,
    offset=1.5,
    floor_added=True,
)
