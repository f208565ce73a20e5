"""The one place that maps video frames to moments and to samples of sound. All of it is exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import floor


def frame_time(frame: int, frame_rate: Fraction) -> Fraction:
    """Seconds from the first frame to ``frame`` of a clip of constant ``frame_rate`` (frames per second)."""
    return Fraction(frame) / frame_rate


def time_to_sample(time: Fraction, sample_rate: int) -> int:
    """The sample that sounds at ``time`` seconds (floor; negative before the start)."""
    return floor(time * sample_rate)


def frame_to_sample(frame: int, frame_rate: Fraction, sample_rate: int) -> int:
    """The first sample of ``frame``: ``floor(frame · sample_rate / frame_rate)``, never accumulating error.

    The samples of frame ``i`` are ``[frame_to_sample(i), frame_to_sample(i + 1))``.
    """
    return time_to_sample(frame_time(frame, frame_rate), sample_rate)
