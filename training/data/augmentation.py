"""One speaker, microphone and room turned into another, so that few voices teach about many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .clips import interpolate


@dataclass(frozen=True, kw_only=True, slots=True)
class MotionAugmentation:
    """How training sound is varied, so that few voices teach about many.

    Attributes:
        stretch: s; the speaking rate is multiplied by 1 / (1 + s) to 1 + s.
        vocal_tract: the same for the mel axis, as if the vocal tract were longer or shorter.
        roll: mel bands by which the spectrum is shifted, up or down.
        masks: of SpecAugment (Park et al., Interspeech 2019): how many bands, and per 100 columns how many columns, are
            replaced by the mean.
        mask_columns: longest masked run of columns.
        mask_bands: widest masked run of bands.
        noise: standard deviation added to the logarithmic mel columns.
        tilt: standard deviation of five points between which the spectrum is bent.
        forget_style: share of windows that know nothing of the person's speaking style.
    """

    stretch: float = 0.15
    vocal_tract: float = 0.12
    roll: float = 3.0
    masks: int = 2
    mask_columns: int = 8
    mask_bands: int = 12
    noise: float = 0.1
    tilt: float = 0.25
    forget_style: float = 0.2


def distort(columns: np.ndarray, a: MotionAugmentation, rng: np.random.Generator) -> np.ndarray:
    """Turn one speaker, microphone and room into another.

    Args:
        columns: logarithmic mel, (S, mels) float32.
        a: how far.
        rng: where the variation comes from.

    Returns:
        float32 of the same shape.
    """
    mels = columns.shape[1]
    bands = np.arange(mels) * np.exp(rng.uniform(-1, 1) * np.log1p(a.vocal_tract)) + rng.uniform(-a.roll, a.roll)
    out = interpolate(columns.T, bands).T
    knots = rng.normal(0, a.tilt, 5)
    out = out + np.interp(np.linspace(0, 4, mels), np.arange(5), knots).astype(np.float32)
    out = out + rng.standard_normal(out.shape, np.float32) * np.float32(a.noise * rng.random())
    fill = out.mean()
    for _ in range(a.masks):
        begin, length = rng.integers(mels), rng.integers(a.mask_bands + 1)
        out[:, begin : begin + length] = fill
    for _ in range(a.masks * max(1, len(out) // 100)):
        begin, length = rng.integers(len(out)), rng.integers(a.mask_columns + 1)
        out[begin : begin + length] = fill
    return out.astype(np.float32)
