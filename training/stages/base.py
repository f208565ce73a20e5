"""What every stage of training has: a network with its losses, windows to draw, and what becomes of the result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..losses import AdversarialLoss
from ..stored import save_tensors

Batch = dict[str, Tensor]


class StepOutput(NamedTuple):
    """What a network's forward pass gives.

    Attributes:
        losses: weighted terms by name; their sum is minimised.
        real: pictures that the discriminator sees as real, (B, 3, H, W) in 0..1; None while it does not take part.
        fake: the drawn ones.
    """

    losses: dict[str, Tensor]
    real: Tensor | None = None
    fake: Tensor | None = None


class Stage(ABC):
    """One stage of training.

    Attributes:
        network: ``forward(batch, progress)`` with the progress from 0 to 1 of the whole run → :class:`StepOutput`.
            Only parameters that require a gradient are trained, averaged and stored.
        adversarial: Eq. 10 with its discriminator, or None.
        idle_parameters: whether some trained parameters get no gradient in some steps, which several processes
            must know.
    """

    network: nn.Module
    adversarial: AdversarialLoss | None = None
    idle_parameters: bool = False

    @abstractmethod
    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        """``size`` training windows as CPU tensors; called in worker processes."""

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """Measure the network, which has the averaged weights and is in eval mode, on people it has not seen."""

    @abstractmethod
    def exported(self) -> dict[str, Tensor]:
        """The tensors of the file that the node loads."""

    def parameter_groups(self, lr: float) -> list[dict[str, Any]]:
        """What the optimiser trains; stages may give parts another learning rate than ``lr``."""
        return [{"params": [weight for weight in self.network.parameters() if weight.requires_grad], "lr": lr}]

    def finish(self) -> None:  # noqa: B027
        """After the last step: set what is solved rather than descended to."""

    def preview(self) -> np.ndarray | None:
        """A picture (H, W, 3) uint8 of what the network does, for TensorBoard; None if there is nothing to see."""
        return None

    def export(self, path: Path, notes: dict[str, str]) -> None:
        """Write the trained network for the node; the file appears when it is complete.

        Args:
            path: a ``.safetensors`` file.
            notes: its metadata.

        Raises:
            OutputError: it cannot be written.
        """
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.exported().items()}
        save_tensors(path, tensors, notes)


def half_precision(network: nn.Module) -> dict[str, Tensor]:
    """The state of a compact network as it is shipped."""
    return {name: value.half() if value.is_floating_point() else value for name, value in network.state_dict().items()}


def as_batch(rows: list[dict[str, np.ndarray]]) -> Batch:
    """Windows of equal shapes, stacked."""
    return {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}
