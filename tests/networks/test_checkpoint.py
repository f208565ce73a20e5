"""Networks out of checkpoints of every layout, without big files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from thfem_core.errors import WeightsError
from thfem_core.networks.checkpoint import build, read_networks

STATES = {name: {"weight": torch.full((2, 3), float(n)), "bias": torch.zeros(2)} for n, name in enumerate(("a", "b"))}


def layouts() -> dict[str, dict]:
    parallel = {name: {f"module.{key}": value for key, value in state.items()} for name, state in STATES.items()}
    rest = {"optimizer_a": {"state": {}, "param_groups": [{"lr": 1e-4}]}, "epoch": 3, "c": {"lr": 0.1}}
    return {"plain": STATES, "training": STATES | rest, "parallel": parallel | rest}


@pytest.mark.parametrize("layout", ["plain", "training", "parallel", "flat"])
def test_layouts(layout: str, tmp_path: Path) -> None:
    path = tmp_path / ("x.safetensors" if layout == "flat" else "x.pth.tar")
    if layout == "flat":
        save_file({f"{name}.{key}": tensor for name, state in STATES.items() for key, tensor in state.items()}, path)
    else:
        torch.save(layouts()[layout], path)
    found = read_networks([path], ("a", "b", "c"), required=("a", "b"), system="X")
    assert found.keys() == STATES.keys()
    for name, state in STATES.items():
        network = build(lambda: nn.Linear(3, 2), found[name], what=name)
        assert torch.equal(network.weight, state["weight"])
        assert not network.training
        assert not network.weight.requires_grad


def test_the_last_file_counts(tmp_path: Path) -> None:
    torch.save(STATES, tmp_path / "first.pth.tar")
    torch.save({"b": STATES["a"]}, tmp_path / "second.pth.tar")
    files = [tmp_path / "first.pth.tar", tmp_path / "second.pth.tar"]
    found = read_networks(files, ("a", "b"), required=("a", "b"), system="X")
    assert torch.equal(found["b"]["weight"], STATES["a"]["weight"])


def test_faults_are_named(tmp_path: Path) -> None:
    torch.save({"b": STATES["b"]}, tmp_path / "x.pth.tar")
    with pytest.raises(WeightsError, match=r"X: x\.pth\.tar holds no a; give the published checkpoint"):
        read_networks([tmp_path / "x.pth.tar"], ("a", "b"), required=("a", "b"), system="X")
    wrong = {"weight": torch.zeros(2, 4), "other": torch.zeros(1)}
    expected = r"X is of another architecture: 1 missing \(bias\), 1 unexpected \(other\), 1 of another shape \(weight"
    with pytest.raises(WeightsError, match=expected):
        build(lambda: nn.Linear(3, 2), wrong, what="X")


def test_half_precision_checkpoints_become_float32() -> None:
    half = {key: value.half() for key, value in STATES["b"].items()}
    assert build(lambda: nn.Linear(3, 2), half, what="X").weight.dtype == torch.float32
