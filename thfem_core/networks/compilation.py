"""Drawing a network through torch.compile, without ever showing what the compiled code gets wrong.

PyTorch keeps compiled graphs on disk and does not tell instruction sets apart there: a graph that was compiled for
AVX-512 and is loaded on a processor with AVX2 leaves half of its results unwritten, silently (torch 2.12). A home
folder that several machines share, or a copied container, is enough. Compiled code is therefore compared with the
network itself before it is trusted.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..errors import InputError

Network = TypeVar("Network", bound=nn.Module)

# Largest mean difference between both ways, as a share of the mean value. Over the fifty layers of a generator,
# rounding adds up to about 1e-5 in float32 and, with 16 bits fewer, to a few hundredths in bfloat16. Unwritten results
# are off by tenths.
_ROUNDING = {torch.float32: 1e-3, torch.bfloat16: 5e-2, torch.float16: 1e-2}


def compile_in_place(network: Network, device: torch.device) -> Network:
    """Let calls of a network run through torch.compile from now on.

    The first call takes minutes; later ones fuse what stands between convolutions. Parameters and their names stay.
    A network that is compiled already is left as it is. The first result of every size is compared with what the
    network draws without the compiler; if they differ by more than rounding, or if the compiler fails, the network
    goes on without it and a RuntimeWarning says so.

    Args:
        network: Takes tensors and returns one tensor; changed in place.
        device: Where it will run.

    Returns:
        The network.

    Raises:
        InputError: The compiler that PyTorch calls for this device is not installed.
    """
    if "forward" not in vars(network):
        check_compiler(device)
        network.forward = CheckedCompilation(network.forward)  # type: ignore[method-assign]
    return network


class CheckedCompilation:
    """A function of tensors, compiled as long as the compiled code agrees with the function."""

    def __init__(self, plain: Callable[..., Tensor]) -> None:
        self._plain = plain
        self._compiled: Callable[..., Tensor] | None = torch.compile(plain)
        self._compared: set[tuple[torch.Size, torch.dtype, torch.device]] = set()

    @property
    def compiled(self) -> bool:
        """Whether compiled code is still in use."""
        return self._compiled is not None

    def __call__(self, *inputs: object) -> Tensor:
        if self._compiled is None:
            return self._plain(*inputs)
        from torch._dynamo.exc import TorchDynamoException  # seconds, which only those pay who compile

        try:
            result = self._compiled(*inputs)
        except TorchDynamoException as fault:
            return self._without_compiler(f"the compiler failed: {str(fault).strip().splitlines()[0]}", inputs)
        kind = (result.shape, result.dtype, result.device)
        if kind not in self._compared:
            expected = self._plain(*inputs)
            difference = (result.double() - expected.double()).abs().mean()
            # "not <=": a difference that is not a number is a fault as well
            if not difference <= _ROUNDING[result.dtype] * expected.double().abs().mean():
                reason = f"compiled code is off by {float(difference):.2g} on average; it may be of another processor"
                return self._without_compiler(f"{reason}: empty PyTorch's folder of compiled code", inputs)
            self._compared.add(kind)
        return result

    def _without_compiler(self, reason: str, inputs: tuple[object, ...]) -> Tensor:
        warnings.warn(f"drawing without torch.compile: {reason}", RuntimeWarning, stacklevel=3)
        self._compiled = None
        return self._plain(*inputs)


def check_compiler(device: torch.device) -> None:
    """Check that PyTorch can generate code on this machine.

    Args:
        device: What the code is for.

    Raises:
        InputError: A tool is missing; the message names it.
    """
    if device.type == "cuda" and find_spec("triton") is None:
        raise InputError(
            "compiling networks for a graphics card needs the package triton; install it, or do not compile"
        )
    compilers = filter(None, (os.environ.get("CXX"), "c++", "g++", "clang++", "cl"))
    if device.type == "cpu" and not any(map(shutil.which, compilers)):
        raise InputError(
            "compiling networks for the CPU needs a C++ compiler such as g++; install it, or do not compile"
        )
