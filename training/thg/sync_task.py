"""Training the sync expert on real clips: sound that belongs to five frames against sound from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thfem_core.talking_head.mouth.coefficients import MouthBasis

from ..build_dataset import PreparedClip
from .clips import SpeakingClip, in_step, load_clips, person_weights, sound_at
from .config import DataConfig, LoopConfig
from .loop import Batch
from .sync_expert import FRAMES, SyncExpert, lower_faces

NEAREST = 3  # frames: sound nearer than this still sounds like the same mouth


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncTaskConfig:
    """apart: share of false pairs whose sound comes from the same clip, some frames away; the rest is from others.
    tell: weight of each side's telling the mouth coefficients."""

    data: DataConfig
    loop: LoopConfig
    size: int = 128
    dropout: float = 0.15
    apart: float = 0.8
    tell: float = 1.0


class SyncLosses(nn.Module):
    """Binary cross entropy of the scaled cosine (Wav2Lip, Section 3.2, with a learned scale).

    Half an hour of speech is too little to find out by itself what the two have in common, so each side also has to
    tell how the mouth moves in its five frames, by a linear map of its embedding that is not exported.
    """

    def __init__(self, net: SyncExpert, config: SyncTaskConfig, coefficients: int) -> None:
        super().__init__()
        self.net, self.config = net, config
        self.tell = nn.ModuleDict({side: nn.Linear(config.size, FRAMES * coefficients) for side in ("face", "sound")})

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        seen, heard = self.net.see(batch["faces"].float() / 255), self.net.hear(batch["sound"])
        logit = self.net.scale.exp() * F.cosine_similarity(seen, heard) + self.net.shift
        scale = self.config.size**0.5  # embeddings of unit length → about unit entries
        told = {"face": self.tell["face"](scale * seen), "sound": self.tell["sound"](scale * heard)}
        losses = {"sync": F.binary_cross_entropy_with_logits(logit, batch["together"])}
        for side, value in told.items():
            losses[side] = self.config.tell * F.smooth_l1_loss(value, batch[f"{side}_mouths"].flatten(1))
        return losses


class SyncTask:
    """See :class:`.loop.Task`."""

    adversary = None

    def __init__(self, config: SyncTaskConfig, basis: MouthBasis) -> None:
        self.config = config
        right = in_step(config.data)
        prepared = Path(config.data.prepared)

        def keep(clip: PreparedClip) -> bool:
            return clip.regions is not None and right(clip)

        self.clips = load_clips(prepared, "train", basis, keep=keep)
        self.unseen = load_clips(prepared, "val", basis, keep=keep)
        self.weights = person_weights(self.clips, config.data.identity_power)
        self.strips = [face_strip(clip) for clip in self.clips]
        self.network = SyncLosses(SyncExpert(size=config.size, dropout=config.dropout), config, basis.size)

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        rows = []
        while len(rows) < size:
            index = int(rng.choice(len(self.clips), p=self.weights))
            clip = self.clips[index]
            together = bool(rng.random() < 0.5)
            pair = draw_pair(clip, self.clips, together, self.config.apart, rng)
            if pair is not None:
                first, other, begin = pair
                sides = five_mouths(clip, first), five_mouths(other, begin)
                rows.append(
                    (five_faces(self.strips[index], first, rng), sound_at(other, begin), np.float32(together), *sides)
                )
        names = ("faces", "sound", "together", "face_mouths", "sound_mouths")
        columns = zip(*rows, strict=True)
        batch = {name: torch.from_numpy(np.stack(values)) for name, values in zip(names, columns, strict=True)}
        noise = torch.from_numpy(rng.standard_normal(batch["sound"].shape, np.float32))
        batch["sound"] = batch["sound"] + 0.1 * noise + float(rng.normal(0, 0.3))
        return batch

    def begin_step(self, step: int, steps: int) -> None:
        """Nothing changes along the way."""

    def fakes(self) -> Tensor:
        raise NotImplementedError("the sync expert has no adversary")

    def validate(self, network: nn.Module) -> dict[str, float]:
        return expert_scores(network.net, self.unseen)

    def strip(self, network: nn.Module) -> None:
        return None


def face_strip(clip: SpeakingClip) -> np.ndarray:
    """(T, 3, 48, 96) uint8: the lower face of every frame, made once."""
    regions = torch.from_numpy(np.array(clip.clip.regions)).permute(0, 3, 1, 2)
    small = [lower_faces(part[:, None].float() / 255) for part in regions.split(32)]
    return torch.cat(small).mul(255).round().clamp(0, 255).to(torch.uint8).numpy()


def five_faces(strip: np.ndarray, first: int, rng: np.random.Generator | None = None) -> np.ndarray:
    """(15, 48, 96) uint8 lower faces of frames first..first+4; with ``rng``, in other light and a little shifted."""
    faces = strip[first : first + FRAMES].astype(np.float32)
    if rng is not None:
        faces = np.clip(faces * rng.uniform(0.75, 1.25) + rng.uniform(-25, 25), 0, 255)
        faces = np.roll(faces, (int(rng.integers(-2, 3)), int(rng.integers(-3, 4))), axis=(2, 3))
    return faces.reshape(-1, *faces.shape[2:]).astype(np.uint8)


def five_mouths(clip: SpeakingClip, first: int) -> np.ndarray:
    """(5, K): mouth coefficients against the person's mean."""
    return (clip.coefficients[first : first + FRAMES] - clip.mean).astype(np.float32)


def draw_pair(
    clip: SpeakingClip, clips: Sequence[SpeakingClip], together: bool, apart: float, rng: np.random.Generator
) -> tuple[int, SpeakingClip, int] | None:
    """First frame of the faces; clip and first frame of a sound that belongs to them or does not. None if this draw
    found no room."""
    last = clip.frames - FRAMES
    first = int(rng.integers(0, last + 1))
    other, begin = clip, first
    if not together and rng.random() < apart:
        away = [t for t in range(max(0, first - 20), min(last, first + 20) + 1) if abs(t - first) >= NEAREST]
        if not away:
            return None
        begin = int(rng.choice(away))
    elif not together:
        other = clips[rng.integers(len(clips))]
        begin = int(rng.integers(0, other.frames - FRAMES + 1))
    return None if sound_at(other, begin) is None else (first, other, begin)


@torch.no_grad()
def expert_scores(expert: SyncExpert, clips: Sequence[SpeakingClip]) -> dict[str, float]:
    """On whole clips: accuracy of telling true pairs from pairs 3..20 frames apart (half of either, threshold of the
    expert), and how often the true sound is the best of the 15 offsets -7..7 (chance .067) within one frame."""
    expert.eval()
    device = expert.scale.device
    right, total, hits, tries = 0.0, 0, 0, 0
    for clip in clips:
        firsts = range(0, clip.frames - FRAMES + 1)
        sounds = [sound_at(clip, t) for t in firsts]
        usable = [t for t in firsts if sounds[t] is not None]
        if len(usable) < 24:
            continue
        strip = face_strip(clip)
        faces, sound = np.stack([five_faces(strip, t) for t in usable]), np.stack([sounds[t] for t in usable])
        seen = expert.see(torch.from_numpy(faces).to(device).float() / 255)
        heard = expert.hear(torch.from_numpy(sound).to(device))
        cosine = seen @ heard.T
        logit = expert.scale.exp() * cosine + expert.shift
        t = torch.arange(len(usable), device=device)
        away = (t[:, None] - t).abs()
        wrong = (away >= NEAREST) & (away <= 20)
        right += 0.5 * float((logit.diag() > 0).float().mean()) + 0.5 * float((logit[wrong] <= 0).float().mean())
        total += 1
        # Averaged over windows of 25 frames, as one judges a clip rather than a fifth of a second.
        for begin in range(7, len(usable) - 7 - 25 + 1, 5):
            rows = torch.arange(begin, begin + 25)
            scores = torch.stack([cosine[rows, rows + lag].mean() for lag in range(-7, 8)])
            hits += int(abs(int(scores.argmax()) - 7) <= 1)
            tries += 1
    return {"accuracy": right / max(1, total), "offset": hits / max(1, tries), "clips": float(total)}
