"""Drawing networks through torch.compile."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._dynamo.exc import TorchDynamoException

from thfem_core.errors import InputError
from thfem_core.networks import compilation
from thfem_core.networks.acceleration import enlarge_in_place
from thfem_core.networks.blocks import ConvNorm, DownBlock, UpBlock
from thfem_core.networks.compilation import CheckedCompilation, check_compiler, compile_in_place
from thfem_core.networks.folding import fold
from thfem_core.talking_head.eamm import generator as eamm
from thfem_core.talking_head.eamm.keypoint_detectors import AffineKeypoints
from thfem_core.talking_head.eat import generator as eat

CPU = torch.device("cpu")


class Miniature(nn.Module):
    """A generator in small: encoded, moved, decoded."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.middle, self.up = DownBlock(3, 4), ConvNorm(4, 4, slope=0.2), UpBlock(4, 3)

    def forward(self, images: Tensor, grid: Tensor) -> Tensor:
        moved = F.grid_sample(self.down(images), grid, align_corners=False)
        return torch.sigmoid(self.up(self.middle(moved)))


@torch.no_grad()
def test_a_compiled_network_draws_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of compiled code is new: PyTorch does not tell there what another instruction set has left."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    try:
        check_compiler(CPU)
    except InputError as reason:
        pytest.skip(str(reason))
    torch.manual_seed(0)
    plain = enlarge_in_place(fold(Miniature()))
    compiled = compile_in_place(copy.deepcopy(plain), CPU)
    call = compiled.forward
    assert compile_in_place(compiled, CPU).forward is call
    assert compiled.state_dict().keys() == plain.state_dict().keys()
    images, grid = torch.rand(2, 3, 24, 24), torch.rand(2, 12, 12, 2) * 2 - 1
    expected = plain(images, grid)
    # float32 sums of at most 36 products in another order, through three layers: 1e-6 would do
    torch.testing.assert_close(compiled(images, grid), expected, rtol=0, atol=1e-5 * float(expected.max()))
    assert call.compiled


@pytest.mark.parametrize("fault", ["wrong", "not a number", "compiler"])
def test_what_compiled_code_gets_wrong_is_never_shown(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def compiled(x: Tensor) -> Tensor:
        calls.append(len(x))
        if fault == "compiler":
            raise TorchDynamoException("g++ found an error\nand explains it")
        result = x + 1
        if len(x) == 3:  # right for the first size, wrong for the next
            result[1:] = 0 if fault == "wrong" else torch.nan
        return result

    monkeypatch.setattr(torch, "compile", lambda plain: compiled)
    checked = CheckedCompilation(lambda x: x + 1)
    if fault != "compiler":
        assert torch.equal(checked(torch.zeros(2)), torch.ones(2)) and checked.compiled
    with pytest.warns(RuntimeWarning, match="without torch.compile: (compiled code is off|the compiler failed: g)"):
        assert torch.equal(checked(torch.zeros(3)), torch.ones(3))
    before = len(calls)
    assert torch.equal(checked(torch.zeros(3)), torch.ones(3))
    assert not checked.compiled and len(calls) == before


@torch.no_grad()
def test_the_generators_are_one_graph() -> None:
    """Nothing in them sends the compiler back to Python. On the meta device: shapes alone."""
    with torch.device("meta"):
        images, emotion, keypoints = torch.empty(1, 3, 256, 256), torch.empty(1, 128), torch.empty(2, 15, 3)
        points = AffineKeypoints(torch.empty(2, 10, 2), torch.empty(2, 10, 2, 2))
        first, second = eamm.Generator().eval(), eat.Generator().eval()
        seen, adapted = first.encode(images), second.encode(images, emotion)
    drawn = torch.compile(first, backend="eager", fullgraph=True)(seen, points.rows(slice(0, 1)), points)
    assert drawn.shape == (2, 3, 256, 256)
    drawn = torch.compile(second, backend="eager", fullgraph=True)(adapted, keypoints[:1], keypoints)
    assert drawn.shape == (2, 3, 256, 256)


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(InputError, match="a C\\+\\+ compiler"):
        compile_in_place(Miniature(), CPU)
    monkeypatch.setattr(compilation, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="the package triton"):
        compile_in_place(Miniature(), torch.device("cuda"))
