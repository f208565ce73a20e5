"""The pack's own sync expert: does the motion of a mouth belong to a sound?

SyncNet's question (Chung and Zisserman 2016) with the cosine of Wav2Lip's expert (Prajwal et al. 2020), asked about
mouth coefficients instead of pictures: skin, light and teeth cannot mislead it, and an hour of speech is enough to
learn it. Both sides are embedded frame by frame; the mean over the window is taken out, so that only changes count,
and the rest is brought to unit length: the cosine of two windows says how alike their changes are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....talking_head.mouth.motion import MotionConfig, SpeechEncoder
from ....weights.reading import load_strict, state_dict
from ....weights.store import locate_file
from .back_end import THFEM_SYNC


@dataclass(frozen=True, kw_only=True, slots=True)
class ThfemSyncConfig:
    """Size of the network.

    coefficients: Coefficients K of the mouth basis.
    mels: Mel bands of a column of sound.
    speech: Channels of the sound's side.
    deep: Layers of the sound's side after its stem.
    width: Channels of the lips' side.
    size: Numbers that a frame is embedded into.
    dropout: Share of features dropped in training.
    """

    coefficients: int = 16
    mels: int = 80
    speech: int = 160
    deep: int = 1
    width: int = 64
    size: int = 24
    dropout: float = 0.3

    @property
    def steps(self) -> int:
        """Columns of sound, of the compact profile, around each frame: the frame is in their middle."""
        return 11 + 8 * self.deep + 8


class ThfemSync(nn.Module):
    """Embed mouth motion and speech into one space; see the module.

    Mouth coefficients are divided by the basis' spread and taken at 25 frames per second. Where a mouth rests does not
    matter, only how it changes.
    """

    def __init__(self, config: ThfemSyncConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or ThfemSyncConfig()
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

    def embed_lips(self, mouths: Tensor) -> Tensor:
        """Embed windows of mouth motion.

        Args:
            mouths: Coefficients over the basis' spread, (..., W, K) with W ≥ 2.

        Returns:
            (..., W · size) of unit length; about 0 where nothing moves.
        """
        flat = mouths.flatten(0, -3)
        embedded = self.lips((flat - flat.mean(dim=1, keepdim=True)).transpose(1, 2)).transpose(1, 2)
        return _changes(embedded).unflatten(0, mouths.shape[:-2])

    def sound_features(self, columns: Tensor) -> Tensor:
        """Features of the sound around each frame.

        Args:
            columns: Log-mel columns of the compact profile, four per frame and speech at one level,
                (B, steps + 4 · (T − 1), mels).

        Returns:
            (B, T, size). Frames one by one give the same as together.
        """
        features: Tensor = self.sound(self.encoder(columns)).transpose(1, 2)
        return features

    def embed_sound(self, features: Tensor) -> Tensor:
        """Embed windows of sound.

        Args:
            features: Windows of :meth:`sound_features`, (..., W, size).

        Returns:
            (..., W · size) of unit length; about 0 for one lasting sound.
        """
        return _changes(features.flatten(0, -3)).unflatten(0, features.shape[:-2])

    def logit(self, cosine: Tensor) -> Tensor:
        """Cosines of a lip and a sound window as the logit of the probability that they belong together."""
        return self.scale.exp() * cosine + self.shift


def _changes(embedded: Tensor) -> Tensor:
    """Windows (N, W, D) without their mean over time, as vectors (N, W · D) of unit length."""
    return F.normalize((embedded - embedded.mean(dim=1, keepdim=True)).flatten(1), dim=1, eps=1e-3)


def load_thfem_sync_network(path: Path | None = None) -> ThfemSync:
    """Load the sync expert, frozen, in float32 on the CPU.

    Args:
        path: A file that ``training.train_thg --stage sync`` exported; None for the embedded one.

    Returns:
        The network.

    Raises:
        WeightsError: The file is missing or holds something else.
    """
    path = path or locate_file(THFEM_SYNC)
    network = ThfemSync()
    load_strict(network, state_dict(path), what=f"the sync expert {path}")
    return network.eval().requires_grad_(False)
