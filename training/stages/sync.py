"""Training the sync expert: a second (or a fifth) of lip motion, and the sound that belongs to it among its neighbours.

What is heard comes from the motion network's speech encoder, which knows phones and is left as it is: the mouths that
speak in step with their sound are too few to change it. Learned is what the two sides have in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.metrics.judges.thfem_sync.network import ThfemSync, ThfemSyncConfig
from thfem_core.talking_head.mouth.coefficients import MouthBasis
from thfem_core.talking_head.mouth.networks import load_motion

from ..config import DataConfig, LoopConfig
from ..data.augmentation import MotionAugmentation, distort
from ..data.clips import COLUMNS_PER_FRAME, SpeakingClip, in_step, interpolate, load_clips, person_weights
from ..data.prepare import PreparedClip
from .base import Batch, Stage, StepOutput, as_batch, half_precision

NEAREST, FARTHEST = 3, 20  # frames: sound nearer than this still sounds like the same mouth; farther is too easy
REACH = 7  # frames before and after, among which the right offset is looked for


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncStageConfig:
    """The sync stage.

    Attributes:
        data: what is trained on.
        loop: how long and how.
        network: size of the expert.
        augmentation: of the sound and the speaking rate.
        speech: exported motion network whose encoder is taken over; "" for the embedded one.
        windows: frames of the windows that are compared, one length per step, drawn from these.
        segment: frames drawn from a clip.
        ranking: weight of finding the right window among all of its clip, beside judging pairs.
        gain: standard deviation of the logarithm of the mouths' size.
        noise: standard deviation of the coefficients' noise.
        in_step: beginnings of the names of people who are known to be in step, whatever ``data`` says of their clips.
    """

    data: DataConfig
    loop: LoopConfig
    network: ThfemSyncConfig = field(default_factory=ThfemSyncConfig)
    augmentation: MotionAugmentation = field(default_factory=MotionAugmentation)
    speech: str = ""
    windows: tuple[int, ...] = (5, 25, 25)
    segment: int = 48
    ranking: float = 1.0
    gain: float = 0.2
    noise: float = 0.08
    in_step: tuple[str, ...] = ()


class SyncLosses(nn.Module):
    """Binary cross entropy of the scaled cosine (Wav2Lip, Section 3.2, with a learned scale) on true pairs, on pairs 3
    to 20 frames apart and on pairs of two clips; and cross entropy of the true pair against those of its own clip."""

    def __init__(self, net: ThfemSync, config: SyncStageConfig) -> None:
        super().__init__()
        self.net, self.config = net, config

    def train(self, mode: bool = True) -> SyncLosses:
        """The encoder does not learn, so it does not forget at random either."""
        super().train(mode)
        self.net.encoder.eval()
        return self

    def forward(self, batch: Batch, progress: float) -> StepOutput:
        width = int(batch["window"][0])
        sounds = self.net.embed_sound(windows_of(self.net.sound_features(batch["columns"]), width))
        lips = self.net.embed_lips(windows_of(batch["mouths"], width))
        inside = batch["inside"].unfold(1, width, 1).all(dim=2)
        cosine = self.net.logit(lips @ sounds.transpose(1, 2))
        t = torch.arange(cosine.shape[1], device=cosine.device)
        apart = (t[:, None] - t).abs()
        both = inside[:, :, None] & inside[:, None]
        wrong = both & (apart >= NEAREST) & (apart <= FARTHEST)
        right = cosine.diagonal(dim1=1, dim2=2)
        strangers = self.net.logit(lips @ sounds.roll(1, 0).transpose(1, 2))
        pairs = (
            F.softplus(-right)[inside].mean() + F.softplus(cosine)[wrong].mean() + 0.3 * F.softplus(strangers).mean()
        )
        among = cosine.masked_fill(~(wrong | (both & (apart == 0))), -1e4)
        ranks = torch.stack([(torch.logsumexp(among, dim) - right)[inside].mean() for dim in (1, 2)]).sum()
        return StepOutput({"sync": 0.5 * pairs, "ranking": 0.5 * self.config.ranking * ranks})


def windows_of(rows: Tensor, width: int) -> Tensor:
    """(B, T, C) → (B, T - width + 1, width, C)."""
    return rows.unfold(1, width, 1).transpose(2, 3)


class SyncStage(Stage):
    """The sync expert, on clips whose lips and sound agree."""

    config: SyncStageConfig
    network: SyncLosses

    def __init__(self, config: SyncStageConfig, basis: MouthBasis) -> None:
        self.config = config
        right = in_step(config.data)

        def known(clip: PreparedClip) -> bool:
            return right(clip) or (len(clip.speech) > 0 and clip.identity.startswith(config.in_step or "\0"))

        self.clips = [clip for clip in load_clips(config.data, "train", basis, keep=known) if clip.mel is not None]
        self.unseen = load_clips(config.data, "val", basis, keep=right)
        self.weights = person_weights(self.clips, config.data.identity_power)
        self.mirror = mirrored_coefficients(basis)
        net = ThfemSync(config.network)
        speech = load_motion(Path(config.speech) if config.speech else None).encoder
        own = net.encoder.state_dict()
        net.encoder.load_state_dict({name: value for name, value in speech.state_dict().items() if name in own})
        net.encoder.requires_grad_(False)
        self.network = SyncLosses(net, config)

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        rows = [self._segment(self.clips[rng.choice(len(self.clips), p=self.weights)], rng) for _ in range(size)]
        return {**as_batch(rows), "window": torch.full((size,), int(rng.choice(self.config.windows)))}

    def _segment(self, clip: SpeakingClip, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Consecutive moments of a clip, spoken faster or slower, by a mirrored, larger or smaller mouth. inside: which
        of them the clip has; beyond its end it is held."""
        c, a = self.config, self.config.augmentation
        rate = float(np.exp(rng.uniform(-1, 1) * np.log1p(a.stretch)))
        begin = rng.uniform(0.0, max(0.0, clip.frames - 1 - c.segment * rate))
        moments = begin + rate * np.arange(c.segment)
        reach = (c.network.steps - 1) // 2
        offsets = np.arange(-reach, COLUMNS_PER_FRAME * (c.segment - 1) + reach + 1) * rate
        mouths = interpolate(clip.coefficients, moments)
        if rng.random() < 0.5:
            mouths = mouths @ self.mirror
        gain = np.exp(rng.normal(0, c.gain) + rng.normal(0, 0.75 * c.gain, mouths.shape[1]))
        return {
            "columns": distort(interpolate(clip.columns, COLUMNS_PER_FRAME * moments[0] + offsets), a, rng),
            "mouths": (mouths * gain + rng.normal(0, c.noise, mouths.shape)).astype(np.float32),
            "inside": moments <= clip.frames - 1,
        }

    def validate(self) -> dict[str, float]:
        return expert_scores(self.network.net, self.unseen)

    def exported(self) -> dict[str, Tensor]:
        return half_precision(self.network.net)


def mirrored_coefficients(basis: MouthBasis) -> np.ndarray:
    """(K, K): coefficients over the basis' spread @ this → those of the mirrored mouth."""
    mesh, across = canonical_mesh(), np.array([-1, 1, 1])
    partner = np.array([np.linalg.norm(mesh - point, axis=1).argmin() for point in mesh * across])
    modes = (basis.modes * basis.spread[:, None, None])[:, partner] * across
    return (modes.reshape(basis.size, -1) @ basis.reader / basis.spread).astype(np.float32)


@torch.no_grad()
def clip_embeddings(expert: ThfemSync, clip: SpeakingClip, window: int) -> tuple[Tensor, Tensor]:
    """Lips and sound of every window of a clip, (N, D) each."""
    device = expert.scale.device
    reach = (expert.config.steps - 1) // 2
    moments = np.arange(-reach, COLUMNS_PER_FRAME * (clip.frames - 1) + reach + 1).astype(float)
    columns = torch.from_numpy(interpolate(clip.columns, moments))[None].to(device)
    lips = expert.embed_lips(windows_of(torch.from_numpy(clip.coefficients)[None].to(device), window))[0]
    return lips, expert.embed_sound(windows_of(expert.sound_features(columns), window))[0]


def clip_cosines(expert: ThfemSync, clip: SpeakingClip, window: int) -> Tensor:
    """(N, N): cosine of lips from frame i on with sound from frame j on, over ``window`` frames."""
    lips, sounds = clip_embeddings(expert, clip, window)
    return lips @ sounds.T


def expert_scores(expert: ThfemSync, clips: Sequence[SpeakingClip]) -> dict[str, float]:
    """On whole clips, for windows of 5 and of 25 frames.

    accuracy: of telling true pairs from pairs 3 to 20 frames apart (half of either, at the expert's own threshold,
    mean over clips). ranking: how often a true pair beats such a false one (needs no threshold). offset: over windows
    of 25 frames (those of 5 averaged over 25), how often the best of the 15 offsets -7..7 is right within one frame
    (chance .2).
    """
    expert.eval()
    scores: dict[str, float] = {}
    for window in (5, 25):
        found = [clip_cosines(expert, clip, window) for clip in clips if clip.mel is not None and clip.frames > window]
        rows = [row for cosine in found if (row := pair_scores(expert, cosine)) is not None]
        hits = [hit for cosine in found for hit in offset_hits(cosine, 1 if window == 25 else 25)]
        accuracy, ranking = np.mean(rows, axis=0) if rows else (0.0, 0.0)
        scores |= {
            f"accuracy_{window}": float(accuracy),
            f"ranking_{window}": float(ranking),
            f"offset_{window}": float(np.mean(hits)) if hits else 0.0,
        }
    return scores | {"clips": float(len(clips))}


def pair_scores(expert: ThfemSync, cosine: Tensor) -> tuple[float, float] | None:
    """Accuracy and ranking of one clip's cosines (N, N); None where no two windows are far enough apart."""
    t = torch.arange(len(cosine), device=cosine.device)
    apart = (t[:, None] - t).abs()
    wrong = (apart >= NEAREST) & (apart <= FARTHEST)
    if not wrong.any():
        return None
    odds = expert.logit(cosine)
    accuracy = 0.5 * (odds.diag() > 0).float().mean() + 0.5 * (odds[wrong] <= 0).float().mean()
    ranking = (cosine.diag()[:, None] > cosine)[wrong].float().mean()
    return float(accuracy), float(ranking)


def offset_hits(cosine: Tensor, averaged: int) -> list[bool]:
    """Whether the best offset is right within a frame, for every fifth run of ``averaged`` windows with room for
    all offsets."""
    hits = []
    for begin in range(REACH, len(cosine) - REACH - averaged + 1, 5):
        rows = torch.arange(begin, begin + averaged, device=cosine.device)
        scores = torch.stack([cosine[rows, rows + lag].mean() for lag in range(-REACH, REACH + 1)])
        hits.append(abs(int(scores.argmax()) - REACH) <= 1)
    return hits
