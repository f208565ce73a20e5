"""EAMM's published files → one flat file without optimizers and program code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...networks.checkpoint import flatten_networks
from ...progress import Progress, silent
from ...weights.convert import Converted
from .networks import CHECKPOINT_NETWORKS, OPTIONAL_NETWORKS, read_checkpoint


def convert(files: Sequence[Path], *, progress: Progress = silent) -> Converted:
    """Convert EAMM's files. Keys stay the published ones: folding happens at load.

    Args:
        files: Checkpoints (``.pth.tar``) in the order of training: where several hold a network, the last counts.
        progress: Hears how far it is.

    Returns:
        Tensors and card.

    Raises:
        WeightsError: A network is missing or of another architecture.
    """
    states = read_checkpoint(files)
    makers = {**CHECKPOINT_NETWORKS, **OPTIONAL_NETWORKS}
    tensors, parameters = flatten_networks(states, makers, system="EAMM", progress=progress)
    return Converted(
        tensors=tensors,
        card={
            "system": "EAMM (Ji et al., SIGGRAPH 2022)",
            "licence": "MIT",
            "networks": parameters,
            "keys": "as published; batch norms are folded at load",
        },
    )
