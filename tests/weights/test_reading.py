"""Nothing inside a file runs, and a wrong file is one clear line."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from thfem_core.errors import WeightsError
from thfem_core.weights.reading import load_strict, safe_load, state_dict


@pytest.fixture
def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(OrderedDict(first=nn.Linear(3, 4), second=nn.Linear(4, 2)))


class _Evil:
    """A pickle that creates a file when it is loaded by the ordinary unpickler."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.trace),)


def written(net: nn.Module, path: Path, form: str) -> None:
    if form == "safetensors":
        save_file(net.state_dict(), path)
    else:
        torch.save(net.state_dict(), path, _use_new_zipfile_serialization=form == "zip")


def refused(path: Path) -> str:
    with pytest.raises(WeightsError) as error:
        safe_load(path)
    text = str(error.value)
    assert "\n" not in text
    assert str(path) in text
    assert len(text) < 400
    return text


@pytest.mark.parametrize("form", ["zip", "before 1.6", "safetensors"])
def test_all_three_formats_are_read(form, net, tmp_path):
    path = tmp_path / ("net.safetensors" if form == "safetensors" else "net.pth.tar")
    written(net, path, form)
    for key, value in safe_load(path).items():
        assert torch.equal(value, net.state_dict()[key])


@pytest.mark.parametrize("form", ["zip", "before 1.6", "plain pickle"])
def test_code_inside_is_refused_and_does_not_run(form, net, tmp_path):
    path, trace = tmp_path / "evil.pth", tmp_path / "trace"
    content = {"state_dict": net.state_dict(), "epoch": _Evil(trace)}
    if form == "plain pickle":
        path.write_bytes(pickle.dumps({"epoch": _Evil(trace)}, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    text = refused(path)
    assert "refused: it holds program code" in text
    assert "mkdir" in text
    assert not trace.exists()


def test_harmless_classes_can_be_allowed(tmp_path):
    path = tmp_path / "net.pth"
    torch.save({"weight": torch.ones(2), "loss": np.float64(0.5)}, path)
    assert "refused" in refused(path)
    scalar = np.float64(0).__reduce__()[0]  # numpy moved it between versions
    loaded = safe_load(path, allow=[scalar, np.dtype, np.dtypes.Float64DType])
    assert loaded["loss"] == 0.5


@pytest.mark.parametrize("form", ["zip", "before 1.6", "safetensors"])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_truncated_files_are_damaged(form, share, net, tmp_path):
    path = tmp_path / ("net.safetensors" if form == "safetensors" else "net.pth")
    written(net, path, form)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert "damaged or incomplete" in refused(path)


@pytest.mark.parametrize("form", ["zip", "before 1.6", "safetensors"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), damage=st.binary(min_size=1, max_size=8))
def test_any_damage_is_read_or_refused_in_one_line(form, place, damage, net, tmp_path):
    path = tmp_path / ("net.safetensors" if form == "safetensors" else "net.pth")
    written(net, path, form)
    content = bytearray(path.read_bytes())
    start = int(len(content) * place)
    content[start : start + len(damage)] = damage
    path.write_bytes(content)
    try:
        assert isinstance(safe_load(path), dict)
    except WeightsError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 500


@pytest.mark.parametrize(
    "content", [b"<!DOCTYPE html><html>Sign in</html>", b"version https://git-lfs.github.com/spec/v1\n"]
)
@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_a_page_or_a_pointer_instead_of_the_file(content, name, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    assert "damaged or incomplete" in refused(path)


def test_missing_and_empty_content(tmp_path):
    assert "there is no model file" in refused(tmp_path / "none.pth")
    assert "there is no model file" in refused(tmp_path / "none.safetensors")
    path = tmp_path / "list.pth"
    torch.save([torch.ones(2)], path)
    assert "holds a list" in refused(path)


def test_state_dicts_are_unwrapped(net, tmp_path):
    path = tmp_path / "net.pth"
    torch.save({"epoch": 3, "state_dict": {f"module.{key}": value for key, value in net.state_dict().items()}}, path)
    assert state_dict(path).keys() == net.state_dict().keys()
    torch.save({"generator": net.state_dict(), "epoch": 3}, path)
    with pytest.raises(WeightsError, match=r"no plain state dict \(its keys: generator, epoch\)"):
        state_dict(path)


def test_strict_loading_fills_the_network(net):
    other = nn.Sequential(OrderedDict(first=nn.Linear(3, 4), second=nn.Linear(4, 2)))
    load_strict(other, net.state_dict(), what="net")
    assert all(torch.equal(value, net.state_dict()[key]) for key, value in other.state_dict().items())


def test_another_architecture_is_one_line_and_changes_nothing(net):
    state = {**net.state_dict(), **{f"extra.{i}": torch.ones(1) for i in range(5)}, "first.weight": torch.ones(9, 9)}
    del state["second.bias"]
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(WeightsError) as error:
        load_strict(net, state, what="EAT generator in eat.pth")
    assert str(error.value) == (
        "EAT generator in eat.pth is of another architecture: 1 missing (second.bias), "
        "5 unexpected (extra.0, extra.1, extra.2, …), 1 of another shape (first.weight is (9, 9) instead of (4, 3)); "
        "use the file the model table names"
    )
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
