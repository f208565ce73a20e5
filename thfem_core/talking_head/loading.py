"""Loading a talking head by name, with what the caller decides: folders, precision, progress."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from typing import Literal, Protocol, get_args, runtime_checkable

import torch

from ..errors import InputError
from ..progress import Progress, silent
from .head import TalkingHead, talking_heads

Precision = Literal["auto", "fp32", "bf16"]


@runtime_checkable
class OwnsNetworks(Protocol):
    """A talking head whose networks somebody else may move between devices while it does not draw. ``networks`` holds
    all of them; sessions move what they need to their clip's device themselves if it is elsewhere."""

    networks: torch.nn.Module


def fastest_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 on a CUDA card that computes it natively, else float32."""
    native = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    return torch.bfloat16 if native else torch.float32


def load_talking_head(
    name: str,
    *,
    precision: Precision = "auto",
    auto: torch.dtype = torch.float32,
    compiled: bool = False,
    folders: Sequence[Path] = (),
    progress: Progress = silent,
) -> TalkingHead:
    """A back end from :data:`.head.talking_heads`. Its factory is given those of ``folders`` (searched for model files
    first), ``dtype``, ``compiled`` and ``progress`` that it has parameters for.

    auto: what the precision "auto" means here, see :func:`fastest_dtype`. compiled: run the largest network through
    torch.compile, see :mod:`..networks.acceleration`. Raises InputError (unknown name or precision, or
    a choice that the back end does not have) and WeightsError.
    """
    if precision not in get_args(Precision):
        raise InputError(f"precision is {precision!r}; give one of: {', '.join(get_args(Precision))}")
    factory = talking_heads.load(name)
    accepted = signature(factory).parameters
    if precision == "bf16" and "dtype" not in accepted:
        raise InputError(f"the talking head {name} computes in fp32 only; choose the precision auto or fp32")
    if compiled and "compiled" not in accepted:
        raise InputError(f"the talking head {name} has nothing to compile; leave compiled off")
    dtype = {"auto": auto, "fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    choices = {"folders": tuple(folders), "dtype": dtype, "compiled": compiled, "progress": progress}
    return factory(**{key: value for key, value in choices.items() if key in accepted})
