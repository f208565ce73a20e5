"""Loading a talking head by name, for callers that do not know its options yet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from ..errors import InputError
from ..networks.precision import Precision
from ..options import options_of
from ..progress import Progress, silent
from ..registry import Resources
from .head import TalkingHead, talking_heads


def load_talking_head(
    name: str,
    *,
    precision: Precision = "auto",
    compiled: bool = False,
    device: torch.device | None = None,
    folders: Sequence[Path] = (),
    progress: Progress = silent,
) -> TalkingHead:
    """A back end with what all of the large ones can choose; goes once callers use ``talking_heads.create``."""
    known = {each.name for each in options_of(talking_heads.back_end(name).options)}
    if precision == "bf16" and "precision" not in known:
        raise InputError(f"the talking head {name} computes in fp32 only; choose the precision auto or fp32")
    if compiled and "compiled" not in known:
        raise InputError(f"the talking head {name} has nothing to compile; leave compiled off")
    choices = {"precision": precision, "compiled": compiled}
    given = {key: value for key, value in choices.items() if key in known}
    return talking_heads.create(name, given, Resources(device=device, folders=tuple(folders), progress=progress))
