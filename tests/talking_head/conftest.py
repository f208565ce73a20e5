"""Checkpoints in the published layout, with weights made by formula, and the networks loaded from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from filled import filled_state, manifests, rng
from torch import nn

from thfem_core.networks.checkpoint import build, split_networks
from thfem_core.talking_head.eamm import networks as eamm_networks
from thfem_core.talking_head.eat import networks as eat_networks
from thfem_core.weights.reading import safe_load

EAT = {**eat_networks.CHECKPOINT_NETWORKS, **eat_networks.TRAINING_NETWORKS}
EAMM = {**eamm_networks.CHECKPOINT_NETWORKS, **eamm_networks.OPTIONAL_NETWORKS}


@pytest.fixture(scope="module")
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


def write_checkpoint(path: Path, system: str, names: list[str]) -> None:
    """As the published training scripts write it: networks, optimizers, epoch."""
    checkpoint: dict = {name: filled_state(manifests()[f"{system}_{name}"]["keys"]) for name in names}
    momentum = {0: {"step": 3, "exp_avg": torch.zeros(2), "exp_avg_sq": torch.zeros(2)}}
    optimizer = {"state": momentum, "param_groups": [{"lr": 1e-4, "betas": (0.5, 0.999), "params": [0]}]}
    torch.save(checkpoint | {"optimizer_generator": optimizer, "epoch": 429}, path)


@pytest.fixture(scope="session")
def eat_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """A checkpoint of its true size (0.9 GB, gone afterwards), and the arrays beside it."""
    folder = tmp_path_factory.mktemp("eat")
    names = ("00000429-checkpoint.pth.tar", "U_mead.npy", "mean_mead.npy", "pad.npy")
    files = [folder / name for name in names]
    write_checkpoint(files[0], "eat", list(EAT))
    for file, shape in zip(files[1:], ((45, 45), (45,), (16, 29)), strict=True):
        np.save(file, (0.02 * rng(file.name).standard_normal(shape)).astype(np.float32))
    yield files
    files[0].unlink()


@pytest.fixture(scope="session")
def eat_network(eat_files: list[Path]) -> Callable[[str], nn.Module]:
    """A network of the checkpoint as it was trained: not folded, with its unused parts."""
    return lambda name: build(EAT[name], split_networks(safe_load(eat_files[0]), [name])[name], what=name)


@pytest.fixture(scope="session")
def eat(eat_files: list[Path]) -> eat_networks.EatNetworks:
    """The networks as they run on a CPU."""
    networks = eat_networks.load_eat(eat_files)
    networks.accelerate()
    return networks


@pytest.fixture(scope="session")
def eamm_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("eamm") / "124_52000.pth.tar"
    write_checkpoint(path, "eamm", list(EAMM))
    yield path
    path.unlink()


@pytest.fixture(scope="session")
def eamm_network(eamm_file: Path) -> Callable[[str], nn.Module]:
    return lambda name: build(EAMM[name], split_networks(safe_load(eamm_file), [name])[name], what=name)


@pytest.fixture(scope="session")
def eamm(eamm_file: Path) -> eamm_networks.EammNetworks:
    networks = eamm_networks.load_eamm([eamm_file])
    networks.accelerate()
    return networks
