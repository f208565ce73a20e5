from __future__ import annotations

import pytest
import torch

from thfem_core.device import one_cpu_thread, resolve_device
from thfem_core.errors import InputError


def test_auto_and_cpu_always_work():
    assert resolve_device("auto").type in ("cpu", "cuda")
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(("name", "words"), [("gpu", "auto, cpu, cuda, mps"), ("cuda:99", "--device cpu")])
def test_a_device_that_is_not_there_is_named_with_a_way_out(name, words):
    with pytest.raises(InputError, match=words):
        resolve_device(name)


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="this machine has MPS")
def test_mps_is_refused_where_it_is_missing():
    with pytest.raises(InputError, match="mps"):
        resolve_device("mps")


def test_one_cpu_thread_is_undone_even_after_a_fault():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with pytest.raises(ValueError, match="inside"), one_cpu_thread():
            assert torch.get_num_threads() == 1
            raise ValueError("inside")
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
