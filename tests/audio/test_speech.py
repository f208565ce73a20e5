"""Sound of any rate, channels and length as 16 kHz mono: nothing shifted, nothing lost, nothing left behind."""

from __future__ import annotations

import tempfile
import tracemalloc
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_speech import syllables

from thfem_core.audio.speech import Speech
from thfem_core.errors import InputError, OutputError
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.sound import Sound
from thfem_core.media.sound_file import read_sound

RATES = [8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000]


def blocks_of(samples: np.ndarray, rate: int, sizes: list[int]) -> list[Sound]:
    edges = np.minimum(np.cumsum([0, *sizes]), samples.shape[1])
    edges = np.append(edges, samples.shape[1])
    return [Sound(samples[:, a:b], rate) for a, b in pairwise(edges)]


@settings(max_examples=30, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    channels=st.integers(1, 6),
    count=st.integers(0, 30_000),
    sizes=st.lists(st.integers(0, 9000), max_size=6),
)
def test_piece_by_piece_is_the_same_as_at_once(rate: int, channels: int, count: int, sizes: list[int]) -> None:
    samples = np.random.default_rng(count).standard_normal((channels, count)).astype(np.float32) * np.float32(0.1)
    speech = Speech.from_blocks(blocks_of(samples, rate, sizes))
    assert len(speech.samples) == -(-count * 16_000 // rate) and speech.samples.dtype == np.float32
    mono = samples.mean(axis=0, dtype=np.float32)
    whole = soxr.resample(mono, rate, 16_000) if count else mono
    common = min(len(whole), len(speech.samples))
    np.testing.assert_allclose(speech.samples[:common], whole[:common], atol=1e-6)
    assert not np.any(speech.samples[common:]) or len(speech.samples) - common <= 1


@pytest.mark.parametrize("rate", RATES)
def test_nothing_is_shifted(rate: int) -> None:
    """A click in the middle of the sound stays where it was to a part of a sample."""
    moment, time = 0.5, np.arange(rate) / rate
    click = np.exp(-(((time - moment) / 4e-4) ** 2)).astype(np.float32)
    heard = np.asarray(Speech.from_sound(Sound(click[None], rate)).samples, dtype=np.float64)
    centre = (heard**2 * np.arange(len(heard))).sum() / (heard**2).sum() / 16_000
    assert centre == pytest.approx(moment, abs=2e-6)


@pytest.mark.parametrize("pauses", [0.0, 4.0])
def test_pauses_do_not_count_in_the_level(pauses: float) -> None:
    talk = syllables(3.0, 16_000, seed=5)
    silence = np.zeros(int(pauses * 16_000), np.float32)
    alone = Speech.from_sound(Sound(talk[None], 16_000)).level
    speech = Speech.from_sound(Sound(np.concatenate([silence, talk, silence])[None], 16_000))
    assert speech.level == pytest.approx(alone, rel=0.15)
    assert speech.gain * speech.level == pytest.approx(0.05)


def test_silence_is_not_amplified_into_speech() -> None:
    silent = Speech.from_sound(Sound(np.zeros((1, 8000), np.float32), 8000))
    assert silent.level == 0 and silent.gain == pytest.approx(50)
    assert silent.duration == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_broken_samples_become_silence(bad: float) -> None:
    samples = np.full((2, 1000), bad, np.float32)
    samples[:, 500:] = 0.1
    speech = Speech.from_sound(Sound(samples, 16_000))
    assert np.isfinite(speech.samples).all() and not speech.samples[:500].any()


def test_a_file_gives_what_reading_all_of_it_gives(demo_clip: Path) -> None:
    for start, duration in ((Fraction(0), None), (Fraction(1), Fraction(3, 2))):
        streamed = Speech.from_file(demo_clip, start=start, duration=duration)
        whole = read_sound(demo_clip, start=start, duration=duration)
        assert streamed is not None and whole is not None
        np.testing.assert_array_equal(streamed.samples, Speech.from_sound(whole).samples)
        clip = Speech.from_video(FileVideo(demo_clip, start=start, duration=duration))
        assert clip is not None
        np.testing.assert_array_equal(streamed.samples, clip.samples)


def test_a_pure_sound_file(tmp_path: Path) -> None:
    samples = syllables(2.0, 44_100)
    path = tmp_path / "talk.wav"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=44_100, layout="mono")
        pcm = (samples * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 44_100, 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    whole = Speech.from_file(path)
    part = Speech.from_file(path, start=Fraction(1, 2), duration=Fraction(1))
    assert whole is not None and part is not None
    assert len(whole.samples) == 32_000 and len(part.samples) == 16_000
    np.testing.assert_allclose(part.samples[500:-500], whole.samples[8500:23_500], atol=1e-3)


def test_clips_without_sound_have_no_speech(tmp_path: Path) -> None:
    images = np.zeros((3, 4, 4, 3), np.uint8)
    assert Speech.from_video(ArrayVideo(images, Fraction(25))) is None
    empty = ArrayVideo(images, Fraction(25), sound=Sound(np.zeros((1, 0), np.float32), 16_000))
    assert Speech.from_video(empty) is None
    with pytest.raises(InputError, match="there is no file"):
        Speech.from_file(tmp_path / "none.mp4")


def test_memory_does_not_grow_with_the_length() -> None:
    def minutes(count: int) -> int:
        block = np.zeros((2, 48_000), np.float32)
        tracemalloc.start()
        Speech.from_blocks(Sound(block, 48_000) for _ in range(60 * count))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert minutes(8) < minutes(2) + 1_000_000


def test_a_full_disk_is_an_error_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(OutputError, match=r"No space left on device.*free some space"):
        Speech.from_sound(Sound(np.zeros((1, 100), np.float32), 16_000))


def test_a_decoder_that_fails_is_not_a_full_disk() -> None:
    def broken():
        yield Sound(np.zeros((1, 100), np.float32), 8000)
        raise av.error.FileNotFoundError(2, "gone")

    with pytest.raises(av.error.FFmpegError, match="gone"):
        Speech.from_blocks(broken())
