"""Training the motion network: sound of a source moment and of n targets → changes of the mouth coefficients.

Mouths that speak in step with their sound are few, so the encoder also learns what is said: phones, and the mouth
shapes they suggest, in speech of many voices without pictures (training/phonetic), first alone, then beside the mouths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from thfem_core.face.mesh.lip_motion import lip_aperture
from thfem_core.face.mesh.topology import INNER_LIP_PAIRS, LIPS
from thfem_core.metrics.judges.thfem_sync.network import ThfemSync, load_thfem_sync_network
from thfem_core.talking_head.mouth.coefficients import MouthBasis
from thfem_core.talking_head.mouth.motion import MotionConfig, MotionNet

from ..config import DataConfig, LoopConfig
from ..data.augmentation import MotionAugmentation, distort
from ..data.clips import COLUMNS_PER_FRAME, SpeakingClip, in_step, interpolate, load_clips, person_weights
from ..data.prepare import PreparedClip
from ..losses import lip_sync_loss
from ..phonetic.phones import PHONES
from ..phonetic.voices import Voices
from .base import Batch, Stage, StepOutput, as_batch, half_precision
from .delay import bring_in_step
from .readout import hear_clip, pairs, solve_readout

SYNC_WINDOW = 25  # frames that the sync expert looks at


@dataclass(frozen=True, kw_only=True, slots=True)
class MotionStageConfig:
    """The motion stage.

    Attributes:
        data: what is trained on.
        loop: how long and how.
        network: size of the network.
        augmentation: of the sound and the speaking rate.
        phonetic: file that training.phonetic.build made; "" for none.
        phonetic_first: share of the steps in which phones are learned alone.
        phonetic_batch: windows of speech without pictures per step.
        phonetic_weight: of its losses beside the mouths' afterwards.
        encoder: how much of the mouths' gradient reaches the speech encoder.
        expert: exported sync expert; "" for none. Beside the clips that ``data`` calls in step it lets in those that
            it is sure of, their sound brought in step.
        agreement: least agreement with the expert (see :class:`.delay.Delay`) of such a clip.
        margin: least margin of such a clip.
        sync: weight of the expert's judgement (Eq. 7) on windows that follow each other.
        velocity: weight of the error of the change from frame to frame.
        spread: weight of the difference between the predicted motion's spread and the true one, against timidity.
        far: share of windows whose targets begin up to ``far_reach`` frames after the source; the node's window may be
            long, and a still portrait has one source.
        far_reach: frames.
        segment: frames of sound drawn at once, every one of them a source.
        ridge: of the readout, see :func:`.readout.solve_readout`.
    """

    data: DataConfig
    loop: LoopConfig
    network: MotionConfig = field(default_factory=MotionConfig)
    augmentation: MotionAugmentation = field(default_factory=MotionAugmentation)
    phonetic: str = ""
    phonetic_first: float = 0.35
    phonetic_batch: int = 12
    phonetic_weight: float = 1.0
    encoder: float = 1.0
    expert: str = ""
    agreement: float = 0.25
    margin: float = 0.2
    sync: float = 0.1
    velocity: float = 0.5
    spread: float = 0.3
    far: float = 0.4
    far_reach: int = 60
    segment: int = 48
    ridge: float = 150.0


class MotionLosses(nn.Module):
    """The network and its losses on a batch."""

    lips: Tensor
    gap: Tensor

    def __init__(
        self, net: MotionNet, basis: MouthBasis, config: MotionStageConfig, expert: ThfemSync | None = None
    ) -> None:
        super().__init__()
        self.net, self.config = net, config
        lips = basis.modes[:, list(LIPS), :2] * basis.spread[:, None, None]
        upper, lower = np.array(INNER_LIP_PAIRS).T
        gap = (basis.modes[:, lower, 1] - basis.modes[:, upper, 1]).mean(axis=1) * basis.spread
        self.register_buffer("lips", torch.from_numpy(lips.reshape(len(lips), -1).copy()), persistent=False)
        self.register_buffer("gap", torch.from_numpy(gap.astype(np.float32)), persistent=False)
        self.phones = nn.Conv1d(net.config.width, len(PHONES) + 3, 1)
        # Not trained, so kept out of the module's state.
        self.expert = [] if expert is None else [expert]

    def forward(self, batch: Batch, progress: float) -> StepOutput:
        losses: dict[str, Tensor] = {}
        spoken = "phones" in batch
        phones_only = spoken and progress < self.config.phonetic_first
        if spoken:
            losses |= self._phonetic(batch, 1.0 if phones_only else self.config.phonetic_weight)
        if not phones_only:
            losses |= self._motion(batch)
        else:  # several processes must see every weight in every step
            losses["all"] = torch.stack([0.0 * weight.sum() for weight in self.net.parameters()]).sum()
        return StepOutput(losses)

    def _phonetic(self, batch: Batch, weight: float) -> dict[str, Tensor]:
        logits = self.phones(self.net.encoder(batch["voices"]))
        names, shapes = logits[:, : len(PHONES)], logits[:, len(PHONES) :]
        phone = nn.functional.cross_entropy(names, batch["phones"], label_smoothing=0.05)
        shape = (shapes.transpose(1, 2) - batch["shapes"]).abs().mean()
        return {"phone": 0.5 * weight * phone, "shape": 4 * weight * shape}

    def _motion(self, batch: Batch) -> dict[str, Tensor]:
        features = self.net.encoder(batch["columns"])
        share = self.config.encoder
        features = share * features + (1 - share) * features.detach()
        sound_features = self.net.apply_style(features, batch["style"])
        mouths = batch["mouths"]
        n = self.config.data.window
        # Every frame is the source of the n frames after it, or of n frames ``away`` frames later (Section 3.3).
        away = int(batch["away"][0])
        sources = torch.arange(mouths.shape[1] - n - away, device=mouths.device)
        if not self.config.data.adjacent:
            sources = sources[torch.randperm(len(sources), device=mouths.device)]
        targets = torch.arange(mouths.shape[1] - n - away, device=mouths.device)[:, None] + away + 1
        targets = targets + torch.arange(n, device=mouths.device)
        to_mean = (batch["mean"][:, None] - mouths[:, sources])[:, :, None].expand(-1, -1, n, -1)
        distance = targets - sources[:, None]
        predicted = self.net.change_from_sound(
            sound_features[:, sources, None], sound_features[:, targets], distance, to_mean
        )
        true = mouths[:, targets] - mouths[:, sources, None]
        error = (predicted - true) @ self.lips
        lip = error.abs().mean()
        velocity = (error[:, :, 1:] - error[:, :, :-1]).abs().mean() if n > 1 else lip * 0
        gaps = torch.stack([predicted @ self.gap, true @ self.gap])
        energy = gaps.square().mean(dim=(2, 3)).clamp_min(1e-4).sqrt()
        spread = (energy[0] - energy[1]).abs().mean()
        losses = {"lip": lip, "velocity": self.config.velocity * velocity, "spread": self.config.spread * spread}
        if self.expert and self.config.sync and self.config.data.adjacent and not away:
            # One window after the other, as the node plays them: the expert hears seconds, not fifths of them.
            phase = int(torch.randint(min(n, len(sources)), ()))
            played = (mouths[:, sources, None] + predicted)[:, phase::n].flatten(1, 2)
            length = min(SYNC_WINDOW, played.shape[1])
            first = int(torch.randint(played.shape[1] - length + 1, ()))
            sound_features = self.expert[0].to(played.device).sound_features(self._expert_columns(batch["columns"]))
            begin = phase + 1 + first
            losses["sync"] = self.config.sync * lip_sync_loss(
                self.expert[0], played[:, first : first + length], sound_features[:, begin : begin + length]
            )
        return losses

    def _expert_columns(self, columns: Tensor) -> Tensor:
        """The columns that the expert hears of those that the network hears."""
        margin = (self.net.config.steps - self.expert[0].config.steps) // 2
        return columns[:, margin : columns.shape[1] - margin]


class MotionStage(Stage):
    """The motion network: sound of a source moment and of n targets → changes of the mouth."""

    config: MotionStageConfig
    network: MotionLosses

    def __init__(self, config: MotionStageConfig, basis: MouthBasis) -> None:
        self.config, self.basis = config, basis
        right = in_step(config.data)
        expert = load_thfem_sync_network(Path(config.expert)) if config.expert else None

        def audible(clip: PreparedClip) -> bool:
            return right(clip) if expert is None else len(clip.speech) > 0

        loaded = [clip for clip in load_clips(config.data, "train", basis, keep=audible) if clip.mel is not None]
        self.clips = [clip for clip in loaded if right(clip.clip)]
        if expert is not None:
            rest = (clip for clip in loaded if not right(clip.clip))
            self.clips += bring_in_step(expert, rest, agreement=config.agreement, margin=config.margin)
        self.unseen = load_clips(config.data, "val", basis, keep=right)
        self.weights = person_weights(self.clips, config.data.identity_power)
        self.voices = Voices.load(Path(config.phonetic)) if config.phonetic else None
        self.network = MotionLosses(MotionNet(config.network), basis, config, expert)

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        config = self.config
        away = int(rng.integers(1, config.far_reach)) if rng.random() < config.far else 0
        frames = config.segment + away
        rows: list[dict[str, np.ndarray]] = []
        while len(rows) < size:
            clip = self.clips[rng.choice(len(self.clips), p=self.weights)]
            rate = float(np.exp(rng.uniform(-1, 1) * np.log1p(config.augmentation.stretch)))
            begin = rng.uniform(min(0.0, clip.frames - frames * rate), max(0.0, clip.frames - frames * rate))
            rows.append(self._segment(clip, begin + rate * np.arange(frames), rate, rng))
        batch = as_batch(rows)
        if self.voices is not None:
            batch |= self._voices(self.voices, rng, self.config.phonetic_batch)
        return {**batch, "away": torch.full((size,), away)}

    def _voices(self, voices: Voices, rng: np.random.Generator, size: int) -> Batch:
        """Other people's speech and what is said."""
        a = self.config.augmentation
        reach = (self.config.network.steps - 1) // 2
        rows: list[tuple[np.ndarray, ...]] = []
        for _ in range(size):
            rate = float(np.exp(rng.uniform(-1, 1) * np.log1p(a.stretch)))
            voice, begin = voices.draw(rng, int(COLUMNS_PER_FRAME * self.config.segment * rate))
            offsets = np.arange(-reach, COLUMNS_PER_FRAME * (self.config.segment - 1) + reach + 1) * rate
            moments = begin + COLUMNS_PER_FRAME * rate * np.arange(self.config.segment)
            at = np.clip(np.rint(moments).astype(int), 0, len(voice.mel) - 1)
            mel = interpolate(voice.mel.astype(np.float32), begin + offsets)
            rows.append((distort(mel, a, rng), voice.phones[at].astype(np.int64), voice.shapes[at]))
        columns, phones, shapes = (torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True))
        return {"voices": columns, "phones": phones, "shapes": shapes.float()}

    def _segment(
        self, clip: SpeakingClip, moments: np.ndarray, rate: float, rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """Consecutive moments (T,) in frames; beyond the clip its ends are held."""
        a = self.config.augmentation
        reach = (self.config.network.steps - 1) // 2
        offsets = np.arange(-reach, COLUMNS_PER_FRAME * (len(moments) - 1) + reach + 1) * rate
        columns = distort(interpolate(clip.columns, COLUMNS_PER_FRAME * moments[0] + offsets), a, rng)
        style = clip.style * (rng.random() >= a.forget_style)
        return {
            "columns": columns,
            "mouths": interpolate(clip.coefficients, moments),
            "mean": clip.mean.astype(np.float32),
            "style": style.astype(np.float32),
        }

    def validate(self) -> dict[str, float]:
        return motion_scores(self.network.net, self.basis, self.unseen, window=self.config.data.window)

    def finish(self) -> None:
        """The readout, which is solved and not descended to."""
        solve_readout(self.network.net.eval(), self.clips, self.weights, ridge=self.config.ridge)

    def exported(self) -> dict[str, Tensor]:
        return half_precision(self.network.net)


@torch.no_grad()
def motion_scores(
    net: MotionNet,
    basis: MouthBasis,
    clips: Sequence[SpeakingClip],
    *,
    window: int,
    shuffle: bool = False,
    past_known: bool = True,
) -> dict[str, float]:
    """Motion measured as in the paper's Table 6, on whole clips cut into windows of n targets, mean over people.

    lip: mean distance of the 40 lip points, in % of the outer-eye distance. aperture: correlation of the lip aperture.
    copy_lip, copy_aperture: the same for the source's mouth kept. spread: predicted over true standard deviation of
    the aperture's change. shuffle: with the sound of the next clip. past_known: with the frames before the source.
    """
    net.eval()
    rows: dict[str, list[tuple[float, ...]]] = {}
    for number, clip in enumerate(clips):
        sound = clips[(number + 1) % len(clips)] if shuffle else clip
        count = min(clip.frames, sound.frames)
        if count < 2 * window + 2 and count < 12:
            continue
        sound_features = hear_clip(net, clip, sound)
        targets = np.arange(1, count)
        sources = (targets - 1) // window * window
        known = pairs(clip, sound_features, torch.from_numpy(sources), torch.from_numpy(targets), net.config.past)
        change = net.change(*(known if past_known else known[:-1]))
        moved = clip.shapes[sources] + basis.displacement(change.numpy() * basis.spread)
        rows.setdefault(clip.clip.identity, []).append(_scores(moved, clip.shapes[sources], clip.shapes[targets]))
    people = np.array([np.mean(values, axis=0) for values in rows.values()])
    names = ("lip", "aperture", "copy_lip", "copy_aperture", "spread")
    return dict(zip(names, map(float, people.mean(axis=0)), strict=True)) | {"people": float(len(people))}


def _scores(moved: np.ndarray, source: np.ndarray, true: np.ndarray) -> tuple[float, ...]:
    lips = list(LIPS)

    def distance(shapes: np.ndarray) -> float:
        return float(np.linalg.norm((shapes - true)[:, lips, :2], axis=2).mean())

    gaps = [lip_aperture(shapes) for shapes in (moved, source, true)]

    def correlation(gap: np.ndarray) -> float:
        return float(np.corrcoef(gap, gaps[2])[0, 1]) if min(gap.std(), gaps[2].std()) > 1e-3 else 0.0

    spread = (gaps[0] - gaps[1]).std() / max((gaps[2] - gaps[1]).std(), 1e-6)
    return distance(moved), correlation(gaps[0]), distance(source), correlation(gaps[1]), float(spread)
