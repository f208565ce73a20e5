"""From sound to mouth motion: how the mouth coefficients change from a source frame to a target frame nearby.

Heard: α(k) · (a_t - a_s) + β(k) · (b_t + m - c_s): the difference of what is heard at the two moments, and a pull from
the source's mouth c_s towards what is heard around the person's mean mouth m; both gated by the distance k = t - s.
Read out: Δ = R(k) · (that, m - c_s, v_s, a_s, b_s, a_t, b_t), linear by distance, where v_s is how the mouth moved up
to the source: mouths go on as they went for two or three frames, whatever is said. R is solved after training.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor, nn

FRAME_RATE = Fraction(25)  # distances k are counted in frames of this rate, whatever the clip's is

# Convolutions after the stem, without padding: they make the window 51 columns long.
_DEEP = 5
# Gates learn this many times as fast as other weights: each distance is drawn rarely.
_GATE_SPEED = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class MotionConfig:
    """coefficients: K of the mouth basis. mels: of a column of sound. width: channels. dropout: of features, in
    training. distances: values of the distance with a gate of their own; farther ones share the last. past: steps of
    the source's mouth, the latest first, that lead up to it. reaches: first distances of the ranges that share an
    R(k)."""

    coefficients: int = 16
    mels: int = 80
    width: int = 160
    dropout: float = 0.2
    distances: int = 64
    past: int = 4
    reaches: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 11, 16, 26, 41)

    @property
    def steps(self) -> int:
        """Columns that one moment hears, the moment in their middle."""
        return 11 + 8 * _DEEP


class _ChannelNorm(nn.LayerNorm):
    """Over the channels of each moment alone: what is heard now must not depend on how long the sound is."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


def steps_before(mouths: Tensor, sources: Tensor, past: int) -> Tensor:
    """(..., S, past, K): how mouths (..., T, K), 25 per second, moved up to the frames ``sources`` (S,).

    The latest step comes first; 0 where it lies before the beginning.
    """
    frames = (sources[:, None] - torch.arange(past + 1, device=sources.device)).clamp(min=0)
    rows = mouths[..., frames, :]
    return rows[..., :-1, :] - rows[..., 1:, :]


class SpeechEncoder(nn.Module):
    """Columns of sound (B, steps + 4 (T - 1), mels) → features (B, width, T), one every fourth column.

    Nothing is padded: T windows of ``steps`` columns, one by one, give the same as the sound in one piece.
    """

    def __init__(self, config: MotionConfig) -> None:
        super().__init__()
        width = config.width
        self.stem = nn.Sequential(
            nn.Conv1d(config.mels, width, 5),
            _ChannelNorm(width),
            nn.GELU(),
            nn.Conv1d(width, width, 3, stride=2),
            _ChannelNorm(width),
            nn.GELU(),
            nn.Conv1d(width, width, 3, stride=2),
        )
        self.deep = nn.ModuleList(
            nn.Sequential(
                _ChannelNorm(width),
                nn.GELU(),
                nn.Conv1d(width, width, 3),
                nn.Dropout(config.dropout),
            )
            for _ in range(_DEEP)
        )
        self.out = nn.Sequential(_ChannelNorm(width), nn.GELU(), nn.Dropout(config.dropout))

    def forward(self, columns: Tensor) -> Tensor:
        x = self.stem(columns.transpose(1, 2))
        for layer in self.deep:
            x = x[:, :, 1:-1] + layer(x)
        return self.out(x)


def _first_gates(config: MotionConfig) -> Tensor:
    """(2, distances, K): α a half; β from little beside the source to nearly all where its mouth says no more."""
    distance = torch.arange(config.distances, dtype=torch.float32)
    share = torch.stack([torch.full_like(distance, 0.5), 0.03 + 0.85 * (1 - torch.exp(-distance / 4.5))])
    return (torch.logit(share) / _GATE_SPEED)[:, :, None].repeat(1, 1, config.coefficients)


class MotionNet(nn.Module):
    """See the module. All coefficients are divided by the basis' spread, so they are about unit size."""

    def __init__(self, config: MotionConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or MotionConfig()
        self.encoder = SpeechEncoder(config)
        self.heads = nn.Conv1d(config.width, 2 * config.coefficients, 1)
        # A person whose mouth goes twice as far in a mode moves it this power of two as far for the same sound.
        self.gain = nn.Parameter(torch.full((2, config.coefficients), 0.7))
        self.gates = nn.Parameter(_first_gates(config))
        whole = torch.eye(config.coefficients).expand(1 + len(config.reaches), -1, -1)
        rest = (4 + config.past) * config.coefficients + config.coefficients
        self.register_buffer("readout", torch.cat([whole, whole.new_zeros(len(whole), rest, whole.shape[2])], dim=1))
        self.register_buffer("reaches", torch.tensor(config.reaches), persistent=False)

    def listen(self, columns: Tensor, manner: Tensor) -> Tensor:
        """Columns (B, steps + 4 (T - 1), mels) and manner (B, 2K) → (B, T, 2, K): a and b of each moment.

        manner: logarithm of the spread of the person's coefficients over the clip, then of their speed; 0 is unknown.
        """
        return self.voice(self.encoder(columns), manner)

    def voice(self, features: Tensor, manner: Tensor) -> Tensor:
        """The second half of :meth:`listen`, from the encoder's features (B, width, T)."""
        heard = self.heads(features).transpose(1, 2).unflatten(2, (2, -1))
        spread = manner[:, None, : self.config.coefficients]
        return heard * torch.exp((self.gain * spread).clamp(-1.5, 1.5))[:, None]

    def change(
        self, source: Tensor, target: Tensor, distance: Tensor, pull: Tensor, past: Tensor | None = None
    ) -> Tensor:
        """Δ (..., K). source, target: (..., 2, K) of :meth:`listen`. distance: (...) whole frames at 25 per second,
        of either sign. pull: (..., K) = m - c_s. past: (..., past, K) of :func:`steps_before`, 0 where unknown."""
        known = self.evidence(source, target, distance, pull, past)
        return (known[..., None, :] @ self.readout[self.reach(distance)])[..., 0, :]

    def heard_change(self, source: Tensor, target: Tensor, distance: Tensor, pull: Tensor) -> Tensor:
        """Δ (..., K) before the readout."""
        gates = torch.sigmoid(_GATE_SPEED * self.gates[:, distance.abs().clamp(max=self.config.distances - 1)])
        return gates[0] * (target[..., 0, :] - source[..., 0, :]) + gates[1] * (target[..., 1, :] + pull)

    def evidence(
        self, source: Tensor, target: Tensor, distance: Tensor, pull: Tensor, past: Tensor | None = None
    ) -> Tensor:
        """(..., E): what the readout maps to Δ."""
        if past is None:
            past = pull.new_zeros(*pull.shape[:-1], self.config.past, pull.shape[-1])
        heard = self.heard_change(source, target, distance, pull)
        parts = [heard, pull.expand_as(heard), *(x.flatten(-2) for x in (past, source, target))]
        lead = torch.broadcast_shapes(*(part.shape[:-1] for part in parts))
        return torch.cat([part.expand(*lead, -1) for part in parts], dim=-1)

    def reach(self, distance: Tensor) -> Tensor:
        """Which matrix of the readout serves a distance; the first leaves what is heard as it is: for sources that come
        later, or so far before that their mouth says nothing (a still picture)."""
        index = torch.bucketize(distance, self.reaches, right=True)
        return index * ((distance > 0) & (distance < self.config.distances))
