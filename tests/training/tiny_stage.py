"""The smallest stage that has everything: dropout, a frozen part, a discriminator with state of its own, validation."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from training.losses import AdversarialLoss
from training.stages.base import Batch, Stage, StepOutput


class _Losses(nn.Module):
    def __init__(self, dropout: float, opponent_from: float) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 2))
        self.frozen = nn.Linear(2, 2).requires_grad_(False)
        self.opponent_from = opponent_from

    def forward(self, batch: Batch, progress: float) -> StepOutput:
        made = self.net(batch["seen"])
        losses = {"pixel": (made - batch["true"]).square().mean()}
        if progress < self.opponent_from:
            return StepOutput(losses)
        return StepOutput(losses, real=batch["true"], fake=made)


class TinyStage(Stage):
    """opponent_from: share of the steps after which the discriminator joins."""

    def __init__(self, *, dropout: float = 0.3, opponent_from: float = 0.3, first_weights: int = 1) -> None:
        torch.manual_seed(first_weights)
        self.network = _Losses(dropout, opponent_from)
        discriminator = nn.utils.parametrizations.spectral_norm(nn.Linear(2, 1))
        self.adversarial = AdversarialLoss(discriminator, weight=0.1)
        self.validated: list[Tensor] = []

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        seen = rng.standard_normal((size, 4), np.float32)
        return {"seen": torch.from_numpy(seen), "true": torch.from_numpy(np.tanh(seen[:, :2] - seen[:, 2:]))}

    def validate(self) -> dict[str, float]:
        assert not self.network.training
        weights = torch.cat([value.flatten() for value in self.network.net.parameters()])
        self.validated.append(weights.detach().clone())
        return {"size": float(weights.detach().norm())}

    def preview(self) -> np.ndarray:
        return np.zeros((4, 6, 3), np.uint8)

    def exported(self) -> dict[str, Tensor]:
        return self.network.net.state_dict()


class WholeBatchStage(TinyStage):
    """Draws what ``processes`` processes draw together, for each of ``accumulate`` micro-steps too."""

    def __init__(self, processes: int, seed: int, **options: float) -> None:
        super().__init__(**options)
        self.processes, self.seed, self.drawn = processes, seed, 0

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        draws = [
            super(WholeBatchStage, self).draw(np.random.default_rng([self.seed, self.drawn, process]), size)
            for process in range(self.processes)
        ]
        self.drawn += 1
        return {name: torch.cat([part[name] for part in draws]) for name in draws[0]}
