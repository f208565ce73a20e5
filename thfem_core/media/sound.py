"""Sound as arrays of samples."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

import numpy as np
import soxr

_BLOCK = 16_384
# libav's usual arrangement of a number of channels
_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of sound; what it belongs to says at which time its first sample is heard."""

    samples: np.ndarray
    """float32 (channels, T), nominally -1..1."""
    sample_rate: int
    """Samples per second."""
    layout: str = ""
    """libav's name of the channel layout, such as "stereo" or "5.1"; "" stands for the usual one."""

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise ValueError(
                f"sound samples must be float32 (channels, T), not {self.samples.dtype} {self.samples.shape}"
            )
        if self.sample_rate <= 0:
            raise ValueError(f"the sample rate is {self.sample_rate}; give a positive number of hertz")
        if not self.layout:
            channels = len(self.samples)
            object.__setattr__(self, "layout", _LAYOUTS.get(channels, f"{channels} channels"))

    @property
    def duration(self) -> Fraction:
        """Length in seconds."""
        return Fraction(self.samples.shape[1], self.sample_rate)

    def mono(self) -> Sound:
        """Average all channels to one."""
        return Sound(self.samples.mean(axis=0, keepdims=True, dtype=np.float32), self.sample_rate)

    def blocks(self) -> Generator[Sound, None, None]:
        """Cut the sound into short pieces, in order."""
        for start in range(0, self.samples.shape[1], _BLOCK):
            yield Sound(self.samples[:, start : start + _BLOCK], self.sample_rate, self.layout)

    def resampled(self, sample_rate: int) -> Sound:
        """Convert to another sample rate, band-limited and without shift.

        Args:
            sample_rate: the new rate in hertz.

        Returns:
            The same sound with ceil(T * new rate / old rate) samples.
        """
        return join_sound(resample_blocks([self], sample_rate)) or Sound(self.samples, sample_rate, self.layout)


def join_sound(blocks: Iterable[Sound]) -> Sound | None:
    """Join blocks of one rate and layout to one sound; None where they hold no sample."""
    held = [block for block in blocks if block.samples.shape[1]]
    if not held:
        return None
    return Sound(np.concatenate([block.samples for block in held], axis=1), held[0].sample_rate, held[0].layout)


def resample_blocks(blocks: Iterable[Sound], sample_rate: int) -> Iterator[Sound]:
    """Convert a stream of blocks to another sample rate, band-limited and without shift.

    Args:
        blocks: back to back, all of one rate and layout.
        sample_rate: the new rate in hertz.

    Returns:
        Blocks of the new rate; ceil(T * new rate / old rate) samples in all.
    """
    blocks = iter(blocks)
    first = next(blocks, None)
    if first is None:
        return
    rate, channels = first.sample_rate, len(first.samples)
    if rate == sample_rate:
        yield from chain([first], blocks)
        return
    resampler = soxr.ResampleStream(rate, sample_rate, channels, dtype="float32")
    read = written = 0
    for block in chain([first], blocks):
        read += block.samples.shape[1]
        samples = resampler.resample_chunk(np.ascontiguousarray(block.samples.T)).T
        written += samples.shape[1]
        yield Sound(np.ascontiguousarray(samples), sample_rate, first.layout)
    missing = max(-(-read * sample_rate // rate) - written, 0)
    tail = resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True).T[:, :missing]
    yield Sound(np.pad(tail, ((0, 0), (0, missing - tail.shape[1]))), sample_rate, first.layout)
