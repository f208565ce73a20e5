"""From sound to mouth motion: how the mouth coefficients change from a source frame to a target frame nearby.

Notation: a and b are two sets of coefficients that a network reads off the sound at each moment, s the source frame, t
the target frame, k = t - s their distance, m the person's mean mouth, c_s the source's mouth.

1. From sound: α(k) · (a_t - a_s) + β(k) · (b_t + (m - c_s)). Close to the source, the *difference* of the sounds tells
   best how the mouth moves on from what is seen. Far from it, the source's mouth says little, and what is heard at the
   target alone decides where around the mean mouth the lips are. The gates α and β pass from one to the other.
2. Readout: Δ = R(k) · (the above, m - c_s, v_s, a_s, b_s, a_t, b_t), one matrix per range of distances. v_s is how the
   mouth moved up to the source: mouths go on as they went for two or three frames, whatever is said. R is solved by
   least squares after training.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor, nn

FRAME_RATE = Fraction(25)  # distances k are counted in frames of this rate, whatever the clip's is

_DEEP = 5  # convolutions after the stem, without padding: they make the window 51 columns long
_GATE_SPEED = 10.0  # gates learn this many times as fast as other weights: each distance is drawn rarely


@dataclass(frozen=True, kw_only=True, slots=True)
class MotionConfig:
    """Sizes of the motion network.

    coefficients: K of the mouth basis.
    mels: Mel bands of a column of sound.
    width: Channels.
    dropout: Share of features dropped in training.
    distances: Distances k with a gate of their own; farther ones share the last.
    past: Steps of the mouth up to the source that the readout sees.
    reaches: First distances of the ranges that share a matrix R(k).
    """

    coefficients: int = 16
    mels: int = 80
    width: int = 160
    dropout: float = 0.2
    distances: int = 64
    past: int = 4
    reaches: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 11, 16, 26, 41)

    @property
    def steps(self) -> int:
        """Columns of sound that are read for one moment, the moment in their middle."""
        return 11 + 8 * _DEEP


class _ChannelNorm(nn.LayerNorm):
    """Normalises the channels of each moment alone, so that a moment does not depend on how long the sound is."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


def steps_before(mouths: Tensor, sources: Tensor, past: int) -> Tensor:
    """Take the steps by which mouths moved up to some frames.

    Args:
        mouths: (..., T, K) coefficients, 25 per second.
        sources: int (S,) frame numbers.
        past: How many steps.

    Returns:
        (..., S, past, K), the latest step first; 0 where a step lies before the beginning.
    """
    frames = (sources[:, None] - torch.arange(past + 1, device=sources.device)).clamp(min=0)
    rows = mouths[..., frames, :]
    return rows[..., :-1, :] - rows[..., 1:, :]


class SpeechEncoder(nn.Module):
    """Encodes columns of sound (B, steps + 4 (T - 1), mels) as features (B, width, T), one every fourth column.

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
    """Gates to begin training with, (2, distances, K): α is a half; β rises from nearly 0 at the source to nearly 1 far
    from it."""
    distance = torch.arange(config.distances, dtype=torch.float32)
    share = torch.stack([torch.full_like(distance, 0.5), 0.03 + 0.85 * (1 - torch.exp(-distance / 4.5))])
    return (torch.logit(share) / _GATE_SPEED)[:, :, None].repeat(1, 1, config.coefficients)


class MotionNet(nn.Module):
    """The motion network, see this module. All coefficients are over the spread of the basis, so about unit size."""

    readout: Tensor
    reaches: Tensor

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

    def encode_speech(self, columns: Tensor, style: Tensor) -> Tensor:
        """Read a and b off the sound.

        Args:
            columns: (B, steps + 4 (T - 1), mels) log-mel columns, 100 per second.
            style: (B, 2K) of :func:`.speaking_style.style_vector`; 0 for the average speaker.

        Returns:
            (B, T, 2, K): a and b at every fourth column.
        """
        return self.apply_style(self.encoder(columns), style)

    def apply_style(self, features: Tensor, style: Tensor) -> Tensor:
        """The second half of :meth:`encode_speech`, from features of the encoder (B, width, T)."""
        average = self.heads(features).transpose(1, 2).unflatten(2, (2, -1))
        spread = style[:, None, : self.config.coefficients]
        return average * torch.exp((self.gain * spread).clamp(-1.5, 1.5))[:, None]

    def change(
        self, source: Tensor, target: Tensor, distance: Tensor, to_mean: Tensor, past: Tensor | None = None
    ) -> Tensor:
        """Predict how the mouth changes from a source to a target.

        Args:
            source: (..., 2, K), a_s and b_s of :meth:`encode_speech`.
            target: (..., 2, K), a_t and b_t.
            distance: int (...), k in frames at 25 per second, of either sign.
            to_mean: (..., K), m - c_s.
            past: (..., past, K), v_s of :func:`steps_before`; None for 0, unknown.

        Returns:
            (..., K), Δ.
        """
        known = self.readout_inputs(source, target, distance, to_mean, past)
        return (known[..., None, :] @ self.readout[self.readout_index(distance)])[..., 0, :]

    def change_from_sound(self, source: Tensor, target: Tensor, distance: Tensor, to_mean: Tensor) -> Tensor:
        """Step 1 of this module: (..., K); arguments as in :meth:`change`."""
        gates = torch.sigmoid(_GATE_SPEED * self.gates[:, distance.abs().clamp(max=self.config.distances - 1)])
        return gates[0] * (target[..., 0, :] - source[..., 0, :]) + gates[1] * (target[..., 1, :] + to_mean)

    def readout_inputs(
        self, source: Tensor, target: Tensor, distance: Tensor, to_mean: Tensor, past: Tensor | None = None
    ) -> Tensor:
        """What step 2 of this module maps to Δ: (..., E); arguments as in :meth:`change`."""
        if past is None:
            past = to_mean.new_zeros(*to_mean.shape[:-1], self.config.past, to_mean.shape[-1])
        from_sound = self.change_from_sound(source, target, distance, to_mean)
        parts = [from_sound, to_mean.expand_as(from_sound), *(x.flatten(-2) for x in (past, source, target))]
        lead = torch.broadcast_shapes(*(part.shape[:-1] for part in parts))
        return torch.cat([part.expand(*lead, -1) for part in parts], dim=-1)

    def readout_index(self, distance: Tensor) -> Tensor:
        """Which matrix R(k) serves a distance.

        The first one leaves the result of step 1 as it is: for sources that come after their target, or so long before
        it that their mouth says nothing (a still picture).
        """
        index = torch.bucketize(distance, self.reaches, right=True)
        return index * ((distance > 0) & (distance < self.config.distances))
