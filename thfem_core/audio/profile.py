"""What a log-mel spectrogram is, as data: one profile for each system that looks at sound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class MelProfile:
    """A log-mel spectrogram of sound at ``sample_rate``: one column every ``hop_length`` samples.

    n_fft, win_length, hop_length: samples; the periodic Hann window lies in the middle of its n_fft samples, and
    column ``c`` is centred at sample ``c · hop_length``.
    n_mels triangles between fmin and fmax (Hz) on the ``mel_scale``; area_norm: divided by half their width in Hz
    (Slaney), else of height 1.
    power: 1 for magnitudes, 2 for energies. pre_emphasis p: ``x[n] − p · x[n−1]`` before everything else.
    padding: what lies beyond the ends of the sound.
    The value is ``gain · log_base(mel) + offset``, kept within ``limits``, where ``floor`` is either added to mel or,
    with floor_added False, the least it can be.
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
    window_steps: int = 11
    normalised: bool = False

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
        """The value of every band of perfect silence."""
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
    window_steps=16,
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

# The embedded mouth model: 100 columns per second
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
    window_steps=51,
    normalised=True,
)

PROFILES = {profile.name: profile for profile in (COMPACT, WAV2LIP, EAT, EAT_COMPAT)}
