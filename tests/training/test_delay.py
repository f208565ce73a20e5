"""Sound that comes early or late is found and moved back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.training.made_clips import swinging_clip
from thfem_core.metrics.judges.thfem_sync.network import load_thfem_sync_network
from training.data.clips import COLUMNS_PER_FRAME, SpeakingClip
from training.stages import delay
from training.stages.delay import bring_in_step, find_delay, moved

_EXPERT = load_thfem_sync_network()


def _loudness_follows(seed: int, frames: int = 90) -> SpeakingClip:
    """A clip whose first mel band is its first coefficient, which never repeats itself."""
    clip = swinging_clip(seed, frames)
    way = np.random.default_rng(seed).standard_normal(frames).cumsum().astype(np.float32)
    coefficients = clip.coefficients.copy()
    coefficients[:, 0] = way
    mel = clip.mel.copy()
    mel[:, 0] = np.repeat(way, COLUMNS_PER_FRAME)
    return replace(clip, coefficients=coefficients, mel=mel)


@pytest.fixture(autouse=True)
def _hears_the_first_band(monkeypatch: pytest.MonkeyPatch) -> None:
    def cosines(expert: object, clip: SpeakingClip, window: int) -> torch.Tensor:
        sides = (
            torch.from_numpy(np.ascontiguousarray(row)).unfold(0, window, 1)
            for row in (clip.coefficients[:, 0], clip.mel[::COLUMNS_PER_FRAME, 0])
        )
        lips, sound = (F.normalize(side - side.mean(dim=1, keepdim=True), dim=1) for side in sides)
        return lips @ sound.T

    monkeypatch.setattr(delay, "clip_cosines", cosines)


@pytest.mark.parametrize("late", [-6, -1, 0, 3, 9])
def test_a_delay_is_found_and_undone(late: int) -> None:
    clip = moved(_loudness_follows(0), -late)
    found = find_delay(_EXPERT, clip)
    assert found is not None and found.frames == late
    assert found.agreement == pytest.approx(1, abs=1e-3) and found.margin > 0.3
    again = find_delay(_EXPERT, moved(clip, late))
    assert again is not None and again.frames == 0


def test_only_sure_clips_are_taken_and_small_delays_let_be() -> None:
    good = _loudness_follows(0)
    other = replace(good, coefficients=_loudness_follows(5).coefficients)
    silent, short = replace(good, mel=None), _loudness_follows(0, frames=28)
    late, nearly = moved(good, -5), moved(good, -1)
    kept = bring_in_step(_EXPERT, [good, other, silent, short, late, nearly], agreement=0.9, margin=0.2)
    assert kept[0] is good and kept[2] is nearly and len(kept) == 3
    assert find_delay(_EXPERT, kept[1]).frames == 0


def test_moving_holds_the_ends() -> None:
    clip = _loudness_follows(0)
    early = moved(clip, 3)
    np.testing.assert_array_equal(early.mel[:-12], clip.mel[12:])
    np.testing.assert_array_equal(early.mel[-12:], np.repeat(clip.mel[-1:], 12, axis=0))
    assert early.mel.shape == clip.mel.shape
