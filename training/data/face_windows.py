"""Windows of whole faces out of pairs: source frame i of the edited clip, targets i+1 … i+n of the real one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from thfem_core.audio.mel import log_mel
from thfem_core.audio.profile import WAV2LIP
from thfem_core.audio.speech import Speech
from thfem_core.errors import InputError
from thfem_core.media.sound import Sound

from ..config import DataConfig
from ..mesh_sync import Ear, sight_of
from ..sync_expert import COLUMNS, FRAMES
from .pair_files import TrainingPair, read_pairs
from .pairs import SIZE
from .prepare import FRAME_RATE

_DECODED = 6  # clips of pictures that a process keeps
_MEL_RATE = WAV2LIP.sample_rate / WAV2LIP.hop_length  # columns per second


@dataclass(frozen=True, slots=True)
class Window:
    """Frame numbers of one training window.

    Attributes:
        pair: its number.
        source: frame of the edited clip.
        targets: (n,) frames of the real clip, laid onto the edited one.
    """

    pair: int
    source: int
    targets: np.ndarray


@dataclass(kw_only=True)
class FaceWindows:
    """The pairs of a split, and windows drawn from them.

    Attributes:
        data: which pairs, and how windows lie.
        split: "train" or "val".
    """

    data: DataConfig
    split: str
    pairs: list[TrainingPair] = field(init=False)
    speech: list[Speech] = field(init=False)

    def __post_init__(self) -> None:
        n = self.data.window
        self.pairs = [p for p in read_pairs(Path(self.data.pairs), self.split) if len(p.frame_map) > n]
        if not self.pairs:
            raise InputError(
                f"no {self.split} pair in {self.data.pairs} has more than {n} frames; give a smaller window"
            )
        self.speech = [Speech.from_sound(Sound(p.speech[None].astype(np.float32) / 32768, 16000)) for p in self.pairs]
        frames = np.array([len(pair.frame_map) for pair in self.pairs], float)
        totals: dict[str, float] = {}
        for pair, count in zip(self.pairs, frames, strict=True):
            totals[pair.actor] = totals.get(pair.actor, 0.0) + count
        people = np.array([totals[pair.actor] for pair in self.pairs])
        weights = frames * people ** (self.data.identity_power - 1)
        self._weights = weights / weights.sum()
        self._mels: dict[int, np.ndarray] = {}
        self._ears: dict[int, Ear] = {}
        self._pictures = lru_cache(_DECODED)(self._decode)

    def _decode(self, pair: int, side: str) -> np.ndarray:
        return self.pairs[pair].pictures(side)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_pictures"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._pictures = lru_cache(_DECODED)(self._decode)

    def draw(self, rng: np.random.Generator) -> Window:
        """People by the configured weights, then a window anywhere in the clip (Section 3.3)."""
        number = int(rng.choice(len(self.pairs), p=self._weights))
        count, n = len(self.pairs[number].frame_map), self.data.window
        first = int(rng.integers(count - n))
        source = first if self.data.adjacent else int(rng.integers(count))
        return Window(number, source, first + 1 + np.arange(n))

    def fixed(self, count: int) -> list[Window]:
        """The same windows each time, spread over the pairs: what validation looks at."""
        rng = np.random.default_rng(0)
        return [self.draw(rng) for _ in range(count)]

    def pictures(self, window: Window) -> dict[str, np.ndarray]:
        """source (3, 256, 256) and true (n, 3, 256, 256), uint8; boxes (n, 4) float32 of the true faces, pixels."""
        edited, target = (self._pictures(window.pair, side) for side in ("edited", "target"))
        points = self.pairs[window.pair].target_landmarks[window.targets, :, :2]
        boxes = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)
        return {
            "source": edited[window.source].transpose(2, 0, 1),
            "true": target[window.targets].transpose(0, 3, 1, 2),
            "boxes": boxes.clip(0, SIZE).astype(np.float32),
        }

    def expert_sound(self, window: Window, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """What a sync expert compares: five of the targets from ``sync_first`` on, and their mel (1, 80, 16).

        sounding is False where a window is shorter than five frames or the sound ends before.
        """
        n, rate = len(window.targets), float(self.pairs[window.pair].frame_rate)
        first = int(rng.integers(max(1, n - FRAMES + 1)))
        mel = self._mel(window.pair)
        begin = int(_MEL_RATE * (window.targets[0] + first) / rate)
        columns = mel[begin : begin + COLUMNS]
        sounding = n >= FRAMES and len(columns) == COLUMNS
        empty = np.zeros((COLUMNS, WAV2LIP.n_mels), np.float32)
        return {
            "sync_first": np.array(first),
            "sound": (columns if sounding else empty).T[None].astype(np.float32),
            "sounding": np.array(sounding),
        }

    def mesh_sight(self, window: Window, side: str, steps: int) -> dict[str, np.ndarray]:
        """What the pack's own expert needs: where it looks in the targets, the heads' poses, the columns of sound.

        Args:
            window: whose targets are judged.
            side: "edited" or "target", whose heads the drawn ones follow.
            steps: columns of sound around a frame.

        Raises:
            InputError: the clips have another frame rate than the expert's 25.
        """
        pair = self.pairs[window.pair]
        if pair.frame_rate != FRAME_RATE:
            raise InputError(f"{pair.folder}: the expert thfem-sync needs 25 frames per second; take Wav2Lip's")
        if window.pair not in self._ears:
            self._ears[window.pair] = Ear.of(self.speech[window.pair], steps)
        landmarks = pair.edited_landmarks if side == "edited" else pair.target_landmarks
        columns = self._ears[window.pair].columns(window.targets)
        return sight_of(landmarks[window.targets]) | {"columns": columns}

    def _mel(self, pair: int) -> np.ndarray:
        if pair not in self._mels:
            self._mels[pair] = log_mel(torch.from_numpy(np.array(self.speech[pair].samples)), WAV2LIP).numpy()
        return self._mels[pair]
