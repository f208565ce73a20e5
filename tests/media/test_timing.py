from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from thfem_core.media.timing import frame_time, frame_to_sample, time_to_sample

RATES = st.fractions(min_value=1, max_value=240, max_denominator=1001)
SAMPLE_RATES = st.sampled_from([8_000, 16_000, 22_050, 44_100, 48_000])


@given(st.integers(0, 10**7), RATES, SAMPLE_RATES)
def test_the_sample_of_a_frame_is_the_exact_floor(frame: int, rate: Fraction, sample_rate: int) -> None:
    sample = frame_to_sample(frame, rate, sample_rate)
    exact = Fraction(frame * sample_rate) / rate
    assert sample <= exact < sample + 1
    assert sample <= frame_to_sample(frame + 1, rate, sample_rate)


def test_an_hour_of_ntsc_does_not_drift() -> None:
    ntsc = Fraction(30_000, 1001)
    assert frame_to_sample(107_892, ntsc, 48_000) == 107_892 * 1001 * 48_000 // 30_000
    assert frame_time(30_000, ntsc) == 1001
    assert time_to_sample(Fraction(-1, 3), 10) == -4
