"""How precisely large networks compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Precision = Literal["auto", "fp32", "bf16"]
PRECISION_HELP = "Number format of the drawing network: auto (bf16 where the card computes it natively), fp32 or bf16."


def drawing_dtype(precision: Precision, device: torch.device | None) -> torch.dtype:
    """Choose the number format in which a network draws.

    Args:
        precision: What the user asks for.
        device: Where it will draw; None is not decided yet.

    Returns:
        For "auto", bfloat16 on a CUDA card that computes it natively (compute capability 8.0 on), else float32.
    """
    import torch

    if precision != "auto":
        return {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    native = device is not None and device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    return torch.bfloat16 if native else torch.float32
