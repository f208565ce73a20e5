"""Synchrony of whole clips: delays are found, gaps and ends handled, and SyncNet sees the published crops."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
import scipy.signal
import torch
from fakes import Flicker
from filled_weights import filled

from thfem_core.audio.speech import Speech
from thfem_core.errors import InputError
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.sound import Sound
from thfem_core.metrics.clip_sync import clip_sync
from thfem_core.metrics.judges.protocol import SeenFace
from thfem_core.metrics.judges.syncnet.judge import SyncNetExpert, box_centre, steady_crops, syncnet_crop
from thfem_core.metrics.judges.syncnet.network import SyncNet

CPU = torch.device("cpu")


def flickering(count: int, *, delay: int = 0, rate: Fraction = Fraction(25), seconds: float | None = None):
    """Pictures whose brightness is the loudness of the sound ``delay`` ticks of 1/25 s earlier, and the sound."""
    loud = np.random.default_rng(4).uniform(0.1, 0.9, 200).round(2)
    samples = np.repeat(loud, 640)[: round((seconds or 8) * 16000)].astype(np.float32)

    def faces() -> Iterator[SeenFace]:
        for i in range(count):
            tick = int(Fraction(i) / rate * 25 + Fraction(1, 2))
            level = int(255 * loud[(tick - delay) % 200])
            yield (
                ArrayFrame(index=i, time=Fraction(i) / rate, pixels=np.full((8, 8, 3), level, np.uint8)),
                np.ones((478, 3), np.float32),
            )

    return faces(), Speech.from_sound(Sound(samples[None], 16000))


@pytest.mark.parametrize("delay", [-4, 0, 5])
@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001)])
def test_a_delay_of_the_lips_is_found(delay: int, rate: Fraction) -> None:
    faces, speech = flickering(110, delay=delay, rate=rate)
    found = clip_sync(faces, speech, Flicker(), frames=110, frame_rate=rate)
    assert found.offset == delay
    assert found.windows == round(110 / rate * 25) - 5
    if rate == 25:
        assert found.distance < 0.02 + 0.5 * (delay != 0) and found.confidence > 0.3


def test_frames_without_a_face_end_a_run_of_windows() -> None:
    faces, speech = flickering(80)
    with_gap = [(f, np.full_like(p, np.nan) if 30 <= f.index < 34 else p) for f, p in faces]
    found = clip_sync(with_gap, speech, Flicker(), frames=80, frame_rate=Fraction(25))
    assert found.windows == (30 - 4) + (75 - 34)
    assert found.offset == 0


def test_short_sound_limits_the_windows_and_none_is_refused() -> None:
    faces, speech = flickering(80, seconds=2.0)
    assert clip_sync(faces, speech, Flicker(), frames=80, frame_rate=Fraction(25)).windows == 50 - 5
    faces, speech = flickering(4)
    with pytest.raises(InputError, match="longer talking clip"):
        clip_sync(faces, speech, Flicker(), frames=4, frame_rate=Fraction(25))


def faces_in_noise(count: int) -> list[SeenFace]:
    random = np.random.default_rng(0)
    seen = []
    for i in range(count):
        points = random.uniform(20 + i, 60 + i, (478, 3)).astype(np.float32)
        pixels = random.integers(0, 255, (90, 120, 3)).astype(np.uint8)
        seen.append((ArrayFrame(index=i, time=Fraction(i, 25), pixels=pixels), points))
    return seen


@pytest.mark.filterwarnings("ignore:kernel_size exceeds")
@pytest.mark.parametrize("count", [3, 13, 20])
def test_boxes_are_steadied_as_scipy_does_it(count: int) -> None:
    seen = faces_in_noise(count)
    boxes = np.array([box_centre(points) for _, points in seen])
    steady = np.stack([scipy.signal.medfilt(column, 13) for column in boxes.T], axis=1)
    crops = list(steady_crops(seen))
    assert len(crops) == count
    for (frame, _), box, crop in zip(seen, steady, crops, strict=True):
        np.testing.assert_array_equal(crop, syncnet_crop(frame, *box))


def test_the_crop_reaches_below_the_face_and_is_grey_beyond_the_frame() -> None:
    import cv2

    picture = np.random.default_rng(1).integers(0, 255, (200, 160, 3)).astype(np.uint8)
    frame = ArrayFrame(index=0, time=Fraction(0), pixels=picture)
    x, y, half = 80.3, 90.7, 40.2
    pad = int(half * 1.8)
    padded = np.pad(picture, ((pad, pad), (pad, pad), (0, 0)), constant_values=110)[..., ::-1]
    cut = padded[int(y + pad - half) : int(y + pad + half * 1.8), int(x + pad - half * 1.4) : int(x + pad + half * 1.4)]
    np.testing.assert_array_equal(syncnet_crop(frame, x, y, half), cv2.resize(np.ascontiguousarray(cut), (224, 224)))
    outside = syncnet_crop(frame, -500.0, -500.0, half)
    assert (outside == 110).all()


def test_syncnet_gives_one_row_per_window_of_lips_and_of_sound() -> None:
    expert = SyncNetExpert(filled(SyncNet()), CPU)
    assert sum(len(rows) for rows in expert.lip_rows(faces_in_noise(7))) == 3
    assert list(expert.lip_rows(faces_in_noise(4))) == []
    samples = np.random.default_rng(2).normal(scale=0.1, size=16000).astype(np.float32)
    speech = Speech.from_sound(Sound(samples[None], 16000))
    whole = expert.sound_rows(speech, 0, 12)
    assert whole.shape == (12, 1024)
    torch.testing.assert_close(torch.cat([expert.sound_rows(speech, 0, 5), expert.sound_rows(speech, 5, 12)]), whole)


@pytest.mark.parametrize("delay", [-4, 0, 5])
def test_beyond_the_ends_there_is_nothing_to_compare_with(delay: int) -> None:
    """40 windows: 15 windows further on there is sound for 25 of them; of 24 windows, for 9, which are too few."""
    expert = Flicker(zero_padded=False)
    faces, speech = flickering(45, delay=delay, seconds=45 / 25)
    found = clip_sync(faces, speech, expert, frames=45, frame_rate=Fraction(25))
    assert found.offset == delay and found.windows == 40 and np.isfinite(found.curve).all()
    faces, speech = flickering(29, delay=delay, seconds=29 / 25)
    found = clip_sync(faces, speech, expert, frames=29, frame_rate=Fraction(25))
    assert found.offset == delay and np.flatnonzero(np.isfinite(found.curve)).tolist() == list(range(3, 28))
    assert np.isfinite([found.distance, found.confidence]).all()


def test_a_silent_clip_is_one_clear_line() -> None:
    faces, _ = flickering(60)
    silence = Speech.from_sound(Sound(np.zeros((1, 40000), np.float32), 16000))
    with pytest.raises(InputError, match="its sound is silent; lips and sound were not compared"):
        clip_sync(faces, silence, Flicker(), frames=60, frame_rate=Fraction(25))
