from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_material import lag_milliseconds, make_video, smooth_rgb, tone

from thfem_core.errors import InputError
from thfem_core.media.file_video import FileVideo
from thfem_core.media.sound import Sound
from thfem_core.media.sound_file import read_sound

RATE = 48_000
NOISE = tone(2.0, RATE, channels=2)
PICTURES = [smooth_rgb(32, 32)] * 50
CODECS = [
    (".mp4", "aac"), (".mkv", "aac"), (".mp4", "libmp3lame"), (".mkv", "libopus"), (".webm", "libopus"),
    (".mkv", "flac"), (".mov", "pcm_s16le"), (".avi", "pcm_s16le"), (".mkv", "ac3"),
    (".mp4", "alac"), (".ts", "aac"),
]  # fmt: skip


def clip(path: Path, codec: str, **kwargs) -> Path:
    video = (
        {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "deadline": "realtime"}} if path.suffix == ".webm" else {}
    )
    if path.suffix == ".avi":
        video = {"codec": "mpeg4"}  # AVI stores no presentation times, which libav can only guess for H.264
    return make_video(path, pictures=PICTURES, sound=NOISE, sound_rate=RATE, sound_codec=codec, **video, **kwargs)


@pytest.mark.parametrize(("suffix", "codec"), CODECS)
def test_sample_0_is_at_frame_0_for_every_codec(tmp_path: Path, suffix: str, codec: str) -> None:
    sound = read_sound(clip(tmp_path / f"clip{suffix}", codec))
    assert sound is not None
    assert (sound.sample_rate, sound.samples.shape[0]) == (RATE, 2)
    assert abs(lag_milliseconds(NOISE, sound.samples, RATE)) <= 1.0
    assert abs(sound.duration - 2) < Fraction(1, 10)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_late_track_begins_with_silence(tmp_path: Path, suffix: str) -> None:
    sound = read_sound(clip(tmp_path / f"clip{suffix}", "aac", sound_start=0.4))
    assert sound is not None
    assert lag_milliseconds(NOISE, sound.samples, RATE) == pytest.approx(400, abs=1)
    assert not sound.samples[:, : int(0.37 * RATE)].any()


def test_a_late_picture_cuts_the_sound_before_it(tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.mp4", "aac", ticks=[10 + n for n in range(50)])
    sound = read_sound(path)
    assert sound is not None
    assert lag_milliseconds(NOISE, sound.samples, RATE) == pytest.approx(-400, abs=1)


@pytest.mark.parametrize("start", [Fraction(1, 2), Fraction(51, 100)])
def test_a_trimmed_clip_starts_its_sound_with_its_first_frame(tmp_path: Path, start: Fraction) -> None:
    path = clip(tmp_path / "clip.mp4", "aac")
    sound = read_sound(path, start=start, duration=Fraction(1))
    first_frame = FileVideo(path, start=start).source.origin
    assert first_frame >= start
    assert sound is not None
    assert lag_milliseconds(NOISE, sound.samples, RATE) == pytest.approx(-1000 * first_frame, abs=1)
    assert sound.duration == start + 1 - first_frame


def test_a_sound_file_starts_at_its_first_sample(tmp_path: Path) -> None:
    path = tmp_path / "voice.wav"
    with av.open(str(path), "w") as output:
        track = output.add_stream("pcm_s16le", rate=RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(NOISE, format="fltp", layout="stereo")
        frame.sample_rate = RATE
        output.mux(track.encode(frame))
        output.mux(track.encode(None))
    whole, part = read_sound(path), read_sound(path, start=Fraction(1, 4), duration=Fraction(1, 2))
    assert whole is not None and part is not None
    np.testing.assert_allclose(whole.samples, NOISE, atol=1e-4)
    np.testing.assert_array_equal(part.samples, whole.samples[:, RATE // 4 : 3 * RATE // 4])


def test_no_track_is_none_and_a_broken_one_is_none_with_a_warning(tmp_path: Path) -> None:
    told: list[str] = []
    silent = make_video(tmp_path / "silent.mp4", pictures=PICTURES[:3])
    assert read_sound(silent, warn=told.append) is None
    assert not told
    path = make_video(tmp_path / "odd.mkv", pictures=PICTURES, sound=NOISE, sound_rate=RATE, sound_codec="flac")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"A_FLAC", b"A_FLAX"))  # a codec nobody knows
    assert read_sound(path, warn=told.append) is None
    assert len(told) == 1 and "odd.mkv" in told[0] and "without sound" in told[0]
    assert FileVideo(path).info.frame_count
    with pytest.raises(InputError, match="there is no file"):
        read_sound(tmp_path / "missing.mp4")


def test_resampling_and_mixing_keep_time() -> None:
    sound = Sound(NOISE, RATE)
    low = sound.resampled(16_000)
    assert (low.sample_rate, low.samples.shape) == (16_000, (2, 32_000))
    assert abs(lag_milliseconds(low.resampled(RATE).samples, NOISE, RATE)) <= 0.1
    np.testing.assert_allclose(sound.mono().samples[0], NOISE.mean(axis=0), atol=1e-6)


def test_surround_keeps_its_channels(tmp_path: Path) -> None:
    path = tmp_path / "surround.wav"
    noise = np.concatenate([tone(0.5, RATE, channels=2, seed=seed) for seed in (1, 2, 3)])
    with av.open(str(path), "w") as output:
        track = output.add_stream("pcm_s16le", rate=RATE, layout="5.1")
        frame = av.AudioFrame.from_ndarray(noise, format="fltp", layout="5.1")
        frame.sample_rate = RATE
        output.mux(track.encode(frame))
        output.mux(track.encode(None))
    sound = read_sound(path)
    assert sound is not None
    np.testing.assert_allclose(sound.samples, noise, atol=1e-4)
