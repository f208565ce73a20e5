"""The pack's own sync expert: does the motion of a mouth belong to a sound?

SyncNet's question (Chung & Zisserman 2016) with the cosine of Wav2Lip's expert (Prajwal et al. 2020), asked about mouth
coefficients instead of pictures: skin, light and teeth cannot mislead it, and an hour of speech is enough to learn it.
Both sides are embedded frame by frame; the mean over the window is taken out, so that only changes count, and the rest
is brought to unit length: the cosine of two windows says how alike their changes are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...talking_head.mouth.motion import MotionConfig, SpeechEncoder
from ...weights.reading import load_strict, state_dict
from ...weights.store import locate_file

MODEL = "mouth-sync"


@dataclass(frozen=True, kw_only=True, slots=True)
class LipSyncConfig:
    """coefficients: K of the mouth basis. mels: of a column of sound. width: channels of the lips' side. speech: of the
    sound's side. deep: layers of the sound's side after its stem. size: of a frame's embedding. dropout: in
    training."""

    coefficients: int = 16
    mels: int = 80
    speech: int = 160
    deep: int = 1
    width: int = 64
    size: int = 24
    dropout: float = 0.3

    @property
    def steps(self) -> int:
        """Columns of sound (of the compact profile) that one frame hears, the frame in their middle."""
        return 11 + 8 * self.deep + 8


class LipSync(nn.Module):
    """See the module. Mouth coefficients are over the basis' spread, 25 frames per second; their place does not
    matter, their changes do."""

    def __init__(self, config: LipSyncConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or LipSyncConfig()
        self.encoder = SpeechEncoder(MotionConfig(mels=c.mels, width=c.speech, dropout=c.dropout))
        self.encoder.deep = self.encoder.deep[: c.deep]
        self.sound = nn.Sequential(
            nn.Dropout(c.dropout),
            nn.Conv1d(c.speech, c.width, 3),
            nn.GELU(),
            nn.Dropout(c.dropout),
            nn.Conv1d(c.width, c.size, 1),
        )
        # Beyond a window's ends the mouth stays as it is, so that a still one gives nothing.
        self.lips = nn.Sequential(
            nn.Conv1d(c.coefficients, c.width, 3, padding=1, padding_mode="replicate"),
            nn.GELU(),
            nn.Dropout(c.dropout),
            nn.Conv1d(c.width, c.width, 3, padding=1, padding_mode="replicate"),
            nn.GELU(),
            nn.Dropout(c.dropout),
            nn.Conv1d(c.width, c.size, 3, padding=1, padding_mode="replicate"),
        )
        self.scale = nn.Parameter(torch.tensor(2.3))  # logarithm
        self.shift = nn.Parameter(torch.tensor(-1.0))

    def see(self, mouths: Tensor) -> Tensor:
        """Windows of coefficients (..., W, K), W ≥ 2 → (..., W * size) of unit length; 0 where nothing moves."""
        flat = mouths.flatten(0, -3)
        embedded = self.lips((flat - flat.mean(dim=1, keepdim=True)).transpose(1, 2)).transpose(1, 2)
        return _changes(embedded).unflatten(0, mouths.shape[:-2])

    def listen(self, columns: Tensor) -> Tensor:
        """Columns of sound (B, steps + 4 (T - 1), mels) of the compact profile, four for each frame, speech at one
        level → (B, T, size). Frames one by one give the same as together."""
        return self.sound(self.encoder(columns)).transpose(1, 2)

    def hear(self, heard: Tensor) -> Tensor:
        """Windows of :meth:`listen` (..., W, size) → (..., W * size) of unit length; 0 for one lasting sound."""
        return _changes(heard.flatten(0, -3)).unflatten(0, heard.shape[:-2])

    def odds(self, cosine: Tensor) -> Tensor:
        """Cosines of windows → logit of the probability that they belong together."""
        return self.scale.exp() * cosine + self.shift


def _changes(embedded: Tensor) -> Tensor:
    """(N, W, D) → (N, W * D) of unit length, the mean over the window taken out."""
    return F.normalize((embedded - embedded.mean(dim=1, keepdim=True)).flatten(1), dim=1, eps=1e-3)


def load_lip_sync(path: Path | None = None) -> LipSync:
    """The embedded expert, or one that training/train_thg.py exported, frozen, in float32 on the CPU.

    Raises WeightsError where the file is missing or holds something else.
    """
    path = path or locate_file(MODEL)
    network = LipSync()
    load_strict(network, state_dict(path), what=f"the sync expert {path}")
    return network.eval().requires_grad_(False)
