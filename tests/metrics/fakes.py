"""Judges that need no weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from thfem_core.audio.speech import Speech
from thfem_core.metrics.feature_extractor import FaceFeatures
from thfem_core.metrics.sync_expert import SeenFace


class MeanColour:
    """The face's mean colour, as identity or expression; emotions follow its brightness."""

    width = 3

    def __init__(self, kind: str = "identity", *, official: bool = False) -> None:
        self.kind, self.official = kind, official
        self.name = self.title = f"mean {kind}"

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        x, y = landmarks[:, :2].mean(axis=0).astype(int)
        return picture[max(y - 8, 0) : y + 8, max(x - 8, 0) : x + 8][:8, :8].copy()

    def features(self, crops: np.ndarray) -> FaceFeatures:
        vectors = crops.reshape(len(crops), -1, 3).mean(axis=1).astype(np.float32)
        happy = vectors.mean(axis=1, keepdims=True) / 255.0
        emotions = np.hstack([np.repeat((1 - happy) / 6, 4, axis=1), happy, np.repeat((1 - happy) / 6, 2, axis=1)])
        return FaceFeatures(vectors=vectors, emotions=emotions if self.kind == "expression" else None)


class Flicker:
    """Hears the loudness of each frame's sound and sees the brightness of its picture."""

    name = title = "flicker"
    official = False
    window = 5

    def __init__(self, *, zero_padded: bool = True) -> None:
        self.zero_padded = zero_padded

    def lip_rows(self, faces: Iterable[SeenFace]) -> Iterator[torch.Tensor]:
        held: list[float] = []
        for frame, _ in faces:
            held.append(float(frame.rgb().mean()) / 255.0)
            if len(held) == self.window:
                yield torch.tensor([held])
                held.pop(0)

    def sound_rows(self, speech: Speech, first: int, stop: int) -> torch.Tensor:
        loudness = [
            float(np.abs(speech.samples[640 * i : 640 * (i + 1)]).max(initial=0.0))
            for i in range(first, stop + self.window - 1)
        ]
        return torch.tensor(loudness).unfold(0, self.window, 1)
