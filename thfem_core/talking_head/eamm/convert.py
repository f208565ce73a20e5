"""EAMM's published files → one flat file without optimizers and program code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...progress import Progress, silent
from ...weights.convert import Converted
from ..networks.checkpoint import build
from .networks import CHECKPOINT_NETWORKS, OPTIONAL_NETWORKS, read_checkpoint


def convert(files: Sequence[Path], *, progress: Progress = silent) -> Converted:
    """Checkpoints (``.pth.tar``) in the order of training: where several hold a network, the last counts. Keys stay the
    published ones. Raises WeightsError where a network is missing or of another architecture."""
    states = read_checkpoint(files)
    makers = {**CHECKPOINT_NETWORKS, **OPTIONAL_NETWORKS}
    tensors = {}
    parameters: dict[str, int] = {}
    for done, (name, state) in enumerate(states.items(), start=1):
        network = build(makers[name], state, what=f"EAMM's {name}")
        parameters[name] = sum(parameter.numel() for parameter in network.parameters())
        tensors |= {f"{name}.{key}": tensor for key, tensor in network.state_dict().items()}
        progress("Converting", done, len(states))
    return Converted(
        tensors=tensors,
        card={
            "system": "EAMM (Ji et al., SIGGRAPH 2022)",
            "licence": "MIT",
            "networks": parameters,
            "keys": "as published; batch norms are folded at load",
        },
    )
