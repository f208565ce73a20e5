"""EAT's published files → one flat file without optimizers and program code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...networks.checkpoint import flatten_networks
from ...progress import Progress, silent
from ...weights.convert import Converted
from .networks import CHECKPOINT_NETWORKS, TRAINING_NETWORKS, read_checkpoint, read_constants


def convert(files: Sequence[Path], *, progress: Progress = silent) -> Converted:
    """Convert EAT's files. Keys stay the published ones: folding happens at load, so the file can be trained on.

    Args:
        files: Checkpoints (``.pth.tar``; where several hold a network, the last counts), ``U_mead.npy``,
            ``mean_mead.npy`` and ``pad.npy``, in any order.
        progress: Hears how far it is.

    Returns:
        Tensors and card.

    Raises:
        WeightsError: A network is missing or of another architecture.
    """
    states, constants = read_checkpoint(files), read_constants(files)
    makers = {**CHECKPOINT_NETWORKS, **TRAINING_NETWORKS}
    tensors, parameters = flatten_networks(states, makers, system="EAT", progress=progress)
    tensors |= {f"constants.{name}": tensor for name, tensor in constants.items()}
    return Converted(
        tensors=tensors,
        card={
            "system": "EAT (Gan et al., ICCV 2023)",
            "licence": "CC BY-NC 4.0",
            "networks": parameters,
            "constants": sorted(constants),
            "keys": "as published; spectral norms and batch norms are folded at load",
        },
    )
