"""Layers rewritten for fewer multiplications draw what the plain ones draw."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from thfem_core.networks.acceleration import channels_last, enlarge_in_place, use_winograd
from thfem_core.networks.enlarged_conv import EnlargedConv
from thfem_core.networks.folding import drop_unused, fold
from thfem_core.networks.hourglass import Hourglass
from thfem_core.networks.winograd import WinogradConv

CONVOLUTION = {2: nn.Conv2d, 3: nn.Conv3d}
sides = st.integers(1, 11)


def worst(actual: Tensor, expected: Tensor) -> float:
    assert actual.shape == expected.shape
    return float((actual - expected).abs().max() / expected.abs().max())


def example(dimensions: int, shape: tuple[int, ...], bias: bool) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(sum(shape))
    return CONVOLUTION[dimensions](shape[1], 5, 3, padding=1, bias=bias), torch.randn(shape)


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([2, 3]), st.integers(1, 2), st.integers(1, 3), sides, sides, st.booleans())
@torch.no_grad()
def test_winograd(dimensions: int, batch: int, depth: int, height: int, width: int, bias: bool) -> None:
    convolution, x = example(dimensions, (batch, 3, *(depth,) * (dimensions - 2), height, width), bias)
    assert worst(WinogradConv(convolution)(x), convolution(x)) < 1e-5


def test_winograd_works_in_strips() -> None:
    convolution, x = example(2, (1, 3, 200, 60), True)
    with torch.no_grad():
        assert worst(WinogradConv(convolution)(x), convolution(x)) < 1e-5


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([2, 3]), st.integers(2, 5), st.integers(1, 2), sides, sides, st.booleans())
@torch.no_grad()
def test_convolving_before_enlarging(
    dimensions: int, factor: int, batch: int, height: int, width: int, bias: bool
) -> None:
    convolution, x = example(dimensions, (batch, 3, *(2,) * (dimensions - 2), height, width), bias)
    large = x.repeat_interleave(factor, -1).repeat_interleave(factor, -2)
    assert worst(EnlargedConv(convolution, factor)(x), convolution(large)) < 1e-5


@pytest.mark.parametrize("layer", [nn.Conv2d(3, 3, 5, padding=2), nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3, 2, 1)])
def test_other_convolutions_are_refused(layer: nn.Conv2d) -> None:
    with pytest.raises(ValueError, match="leave it as it is"):
        WinogradConv(layer)
    with pytest.raises(ValueError, match="leave it as it is"):
        EnlargedConv(layer, 2)


@pytest.mark.parametrize("dimensions", [2, 3])
@torch.no_grad()
def test_a_folded_and_accelerated_hourglass(dimensions: int) -> None:
    torch.manual_seed(0)
    network = Hourglass(3, base=4, dimensions=dimensions).eval()
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm3d)):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 1.5)
    x = torch.randn(2, 3, *(2,) * (dimensions - 2), 32, 64)
    before = network(x)
    fold(network)
    assert not any(isinstance(module, (nn.BatchNorm2d, nn.BatchNorm3d)) for module in network.modules())
    assert worst(channels_last(network)(x), before) < 1e-5
    use_winograd(enlarge_in_place(network))
    assert any(isinstance(module, EnlargedConv) for module in network.modules())
    assert worst(network(x), before) < 1e-5


def test_unused_parts_are_dropped() -> None:
    class Network(nn.Module):
        unused = ("other",)

        def __init__(self) -> None:
            super().__init__()
            self.used, self.other = nn.Linear(1, 1), nn.Linear(1, 1)

    assert set(drop_unused(Network()).state_dict()) == {"used.weight", "used.bias"}
