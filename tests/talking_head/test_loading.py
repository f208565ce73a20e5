"""Back ends take the options that users give, and what is wrong with them is told in one line."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from moving_face import MovingTrack, clip

from thfem_core.errors import InputError, WeightsError
from thfem_core.networks.precision import drawing_dtype
from thfem_core.options import options_of
from thfem_core.registry import Resources
from thfem_core.talking_head.eamm import head as eamm_head
from thfem_core.talking_head.eat import head as eat_head
from thfem_core.talking_head.eat.timeline import Timeline
from thfem_core.talking_head.head import OwnsNetworks, talking_heads


@pytest.mark.parametrize("name", talking_heads.names())
def test_every_back_end_declares_itself(name):
    declared = talking_heads.back_end(name)
    assert declared.summary.endswith(".") and declared.models
    declared.options()
    assert all(option.help for option in options_of(declared.options))
    for model in declared.models:
        needs_converter = any(file.converted for file in model.files)
        assert needs_converter == (model.name in declared.converters)
    for target in declared.converters.values():
        assert callable(talking_heads.attribute(name, target))


def test_the_options_of_eat_reach_what_it_draws_with(
    eat_files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Precomputed features stand in for DeepSpeech, and the timing of the published code can be had."""
    features = tmp_path / "features.npy"
    np.save(features, np.ones((100, 29), np.float32))
    opened = []
    monkeypatch.setattr(eat_head, "EatSession", lambda networks, clip, **options: opened.append(options))
    options = {"features": features, "timing": "thfem-compat", "emotion": "happy"}
    head = talking_heads.create("eat", options, Resources(folders=(eat_files[0].parent,)))
    assert isinstance(head, OwnsNetworks)
    head.open_face(clip(MovingTrack(2)))
    assert opened[0]["timeline"] == Timeline(frame_rate=clip(MovingTrack(2)).frame_rate, timing="thfem-compat")
    assert (opened[0]["logits"] == 1).all() and opened[0]["logits"].shape == (100, 29)


def test_the_options_of_eamm_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without the emotion network cannot do what was asked for."""
    (tmp_path / "eamm.safetensors").touch()
    networks = SimpleNamespace(generator=torch.nn.Linear(1, 1), emotion=None)
    monkeypatch.setattr(eamm_head, "load_eamm", lambda files: networks)
    resources = Resources(folders=(tmp_path,))
    talking_heads.create("eamm", resources=resources)
    with pytest.raises(WeightsError, match="no file holds emo_detector"):
        talking_heads.create("eamm", {"emotional": True}, resources)
    talking_heads.create("eamm", {"precision": "bf16"}, resources)
    assert networks.generator.weight.dtype == torch.bfloat16


def test_faults_name_the_choices():
    with pytest.raises(InputError, match="choose one of: mouth, eat, eamm"):
        talking_heads.create("other")
    with pytest.raises(InputError, match="precision is 'fp8'; choose one of: auto, fp32, bf16"):
        talking_heads.create("eat", {"precision": "fp8"})
    with pytest.raises(InputError, match="the talking head mouth has no option precision; it has: amount"):
        talking_heads.create("mouth", {"precision": "bf16"})


def test_precision_is_what_was_asked_for():
    assert drawing_dtype("bf16", torch.device("cpu")) == torch.bfloat16
    assert drawing_dtype("fp32", None) == torch.float32
    assert drawing_dtype("auto", torch.device("cpu")) == drawing_dtype("auto", None) == torch.float32
