"""Running a network without the cost of its Python code."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

Network = Callable[[Tensor], tuple[Tensor, Tensor]]


def traced(network: nn.Module, input_side: int, device: torch.device) -> Network:
    """The network as a recorded graph for (B, 3, input_side, input_side), or itself where it cannot be recorded.

    These networks are hundreds of tiny operations, and on a CPU Python takes a third of their time.
    """
    example = torch.zeros(1, 3, input_side, input_side, device=device).contiguous(memory_format=torch.channels_last)
    try:
        # The warnings: torch.jit is in maintenance, and sizes that never change become constants.
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            graph: Network = torch.jit.trace(network, example, check_trace=False)
    except (AttributeError, RuntimeError):  # a PyTorch without torch.jit, or a device it cannot record
        return network
    return graph
