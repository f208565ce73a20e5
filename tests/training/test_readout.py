"""The motion network's readout: what it leaves alone, and that it finds how mouths go on by themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.training.made_clips import swinging_clip
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis
from thfem_core.talking_head.mouth.motion import MotionConfig, MotionNet, steps_before
from thfem_core.weights.reading import state_dict
from training import train_thg
from training.stages.base import Stage, half_precision
from training.stages.motion import motion_scores
from training.stages.readout import hear_clip, solve_readout

_SMALL = MotionConfig(width=24, past=2, reaches=(1, 2, 4), distances=8)


def _net() -> MotionNet:
    torch.manual_seed(0)
    return MotionNet(_SMALL).eval()


def test_nothing_changes_before_it_is_solved() -> None:
    net = _net()
    k = _SMALL.coefficients
    source, target, pull = torch.randn(6, 2, k), torch.randn(6, 2, k), torch.randn(6, k)
    distance = torch.tensor([-3, 0, 1, 3, 7, 99])
    known = (source, target, distance, pull)
    torch.testing.assert_close(net.change(*known, torch.randn(6, 2, k)), net.change_from_sound(*known))


def test_sources_that_come_later_or_long_before_are_not_read_out() -> None:
    net = _net()
    torch.nn.init.normal_(net.readout[1:])
    k = _SMALL.coefficients
    known = (torch.randn(7, 2, k), torch.randn(7, 2, k), torch.tensor([-3, 0, 8, 99, 1, 3, 7]), torch.randn(7, k))
    apart = (net.change(*known) - net.change_from_sound(*known)).abs().amax(dim=1)
    assert torch.all(apart[:4] < 1e-5) and torch.all(apart[4:] > 0.1)
    assert net.readout_index(torch.tensor([1, 2, 3, 4, 7, 8])).tolist() == [1, 2, 2, 3, 3, 0]


def test_it_finds_how_a_mouth_goes_on() -> None:
    net, clips = _net(), [swinging_clip(i) for i in range(3)]
    unseen = [swinging_clip(9)]
    before = motion_scores(net, load_mouth_basis(), unseen, window=2)
    solve_readout(net, clips, np.ones(3) / 3, ridge=1e-3)
    after = motion_scores(net, load_mouth_basis(), unseen, window=2)
    forgetful = motion_scores(net, load_mouth_basis(), unseen, window=2, past_known=False)
    assert after["lip"] < 0.15 * before["lip"] and after["aperture"] > 0.99
    assert forgetful["lip"] > 3 * after["lip"]


def test_a_great_penalty_leaves_what_is_heard() -> None:
    net = _net()
    first = net.readout.clone()
    solve_readout(net, [swinging_clip(0)], np.ones(1), ridge=1e9)
    torch.testing.assert_close(net.readout, first, atol=1e-4, rtol=0)


def test_distances_that_no_clip_reaches_stay_as_they_were() -> None:
    net = _net()
    first = net.readout.clone()
    solve_readout(net, [swinging_clip(0, frames=4)], np.ones(1), ridge=1.0)
    assert not torch.equal(net.readout[1], first[1])
    assert torch.equal(net.readout[3], first[3])


def test_the_clip_as_a_whole_is_heard_as_other_clips_sound() -> None:
    net, clip, other = _net(), swinging_clip(0), swinging_clip(1, frames=90)
    assert hear_clip(net, clip).shape == (120, 2, _SMALL.coefficients)
    assert hear_clip(net, clip, other).shape == (90, 2, _SMALL.coefficients)
    assert not torch.allclose(hear_clip(net, clip, other), hear_clip(net, clip)[:90])


@settings(deadline=None, max_examples=20)
@given(frames=st.integers(1, 12), past=st.integers(1, 5), seed=st.integers(0, 99))
def test_steps_lead_back_to_where_the_mouth_was(frames: int, past: int, seed: int) -> None:
    mouths = torch.from_numpy(np.random.default_rng(seed).standard_normal((2, frames, 3)))
    sources = torch.arange(frames)
    steps = steps_before(mouths, sources, past)
    assert steps.shape == (2, frames, past, 3)
    for s in range(frames):
        torch.testing.assert_close(mouths[:, s] - steps[:, s].sum(dim=1), mouths[:, max(0, s - past)])


def test_the_recipe_solves_it_before_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    class Made(Stage):
        def __init__(self) -> None:
            self.network = nn.ModuleDict({"net": _net()})

        def draw(self, rng: np.random.Generator, size: int) -> dict[str, torch.Tensor]:
            raise NotImplementedError

        def finish(self) -> None:
            calls.append("finish")
            self.network["net"].readout.fill_(1)

        def validate(self) -> dict[str, float]:
            calls.append("validate")
            return {"lip": 0.0}

        def exported(self) -> dict[str, torch.Tensor]:
            return half_precision(self.network["net"])

    train_thg.finish(Made(), tmp_path / "motion.safetensors", {"stage": "motion"})
    assert calls == ["finish", "validate"]
    assert torch.all(state_dict(tmp_path / "motion.safetensors")["readout"] == 1)
