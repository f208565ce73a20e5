"""Loading back ends by name: each factory gets what it has parameters for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from thfem_core.errors import InputError
from thfem_core.progress import silent
from thfem_core.registry import Registry
from thfem_core.talking_head import loading
from thfem_core.talking_head.loading import OwnsNetworks, fastest_dtype, load_talking_head


class Heavy:
    """As one of the large back ends."""

    drives = ("audio",)

    def __init__(self, *, folders, dtype, compiled, progress) -> None:
        self.got = (folders, dtype, compiled, progress)
        self.networks = torch.nn.Linear(2, 2).to(dtype)


class Light:
    """As the embedded one."""

    drives = ("audio",)

    def __init__(self, folders=()) -> None:
        self.folders = folders


@pytest.fixture(autouse=True)
def heads(monkeypatch: pytest.MonkeyPatch) -> None:
    registry: Registry = Registry("talking head", package=__name__)
    for name in ("Heavy", "Light"):
        registry.register(name.lower(), f"{__name__}:{name}")
    monkeypatch.setattr(loading, "talking_heads", registry)


@pytest.mark.parametrize(
    ("precision", "auto", "dtype"),
    [
        ("auto", torch.float32, torch.float32),
        ("auto", torch.bfloat16, torch.bfloat16),
        ("fp32", torch.bfloat16, torch.float32),
        ("bf16", torch.float32, torch.bfloat16),
    ],
)
def test_a_factory_gets_what_it_asks_for(precision, auto, dtype):
    folder = Path("models")
    head = load_talking_head("heavy", precision=precision, auto=auto, folders=[folder])
    assert head.got == ((folder,), dtype, False, silent)
    assert isinstance(head, OwnsNetworks)
    light = load_talking_head("light", precision="fp32" if precision == "bf16" else precision, folders=[folder])
    assert light.folders == (folder,)
    assert not isinstance(light, OwnsNetworks)


def test_faults_name_the_choices():
    with pytest.raises(InputError, match="choose one of: heavy, light"):
        load_talking_head("other")
    with pytest.raises(InputError, match="give one of: auto, fp32, bf16"):
        load_talking_head("heavy", precision="fp8")
    with pytest.raises(InputError, match="light computes in fp32 only"):
        load_talking_head("light", precision="bf16")
    with pytest.raises(InputError, match="light has nothing to compile"):
        load_talking_head("light", compiled=True)


def test_the_cpu_computes_in_fp32():
    assert fastest_dtype(torch.device("cpu")) == torch.float32
