"""The smallest task that has everything: dropout, an adversary with state of its own, something to validate."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from training.thg.loop import Batch


class _Losses(nn.Module):
    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 2))
        self.opponent: list[nn.Module] = []
        self.with_opponent = False
        self.last: Tensor | None = None

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        made = self.net(batch["seen"])
        self.last = made
        losses = {"pixel": (made - batch["true"]).square().mean()}
        if self.with_opponent:
            opponent = self.opponent[0].requires_grad_(False)
            losses["adversarial"] = -0.1 * opponent(made).mean()
            opponent.requires_grad_(True)
        return losses


class _Opponent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.utils.parametrizations.spectral_norm(nn.Linear(2, 1))

    def forward(self, batch: Batch, fakes: Tensor) -> dict[str, Tensor]:
        return {"critic": (1 - self.net(batch["true"])).relu().mean() + (1 + self.net(fakes.detach())).relu().mean()}


class TinyTask:
    """See :class:`training.thg.loop.Task`. opponent_from: share of the steps after which the adversary joins."""

    def __init__(self, *, dropout: float = 0.3, opponent_from: float = 0.3, first_weights: int = 1) -> None:
        torch.manual_seed(first_weights)
        self.network = _Losses(dropout)
        self.adversary: nn.Module | None = _Opponent()
        self.network.opponent.append(self.adversary.net)
        self.opponent_from = opponent_from
        self.validated: list[Tensor] = []

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        seen = rng.standard_normal((size, 4), np.float32)
        return {"seen": torch.from_numpy(seen), "true": torch.from_numpy(np.tanh(seen[:, :2] - seen[:, 2:]))}

    def begin_step(self, step: int, steps: int) -> None:
        self.network.with_opponent = step >= self.opponent_from * steps

    def fakes(self) -> Tensor:
        assert self.network.last is not None
        return self.network.last

    def validate(self, network: nn.Module) -> dict[str, float]:
        assert not network.training
        weights = torch.cat([value.flatten() for value in network.net.parameters()])
        self.validated.append(weights.detach().clone())
        return {"size": float(weights.detach().norm())}

    def strip(self, network: nn.Module) -> np.ndarray:
        return np.zeros((4, 6, 3), np.uint8)


class WholeBatchTask(TinyTask):
    """Draws what ``processes`` processes draw together."""

    def __init__(self, processes: int, seed: int, **options: float) -> None:
        super().__init__(**options)
        self.processes, self.seed, self.drawn = processes, seed, 0

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        draws = [
            super(WholeBatchTask, self).draw(np.random.default_rng([self.seed, self.drawn, process]), size)
            for process in range(self.processes)
        ]
        self.drawn += 1
        return {name: torch.cat([part[name] for part in draws]) for name in draws[0]}
