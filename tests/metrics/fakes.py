"""Judges that need no weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from thfem_core.audio.speech import Speech
from thfem_core.metrics.judges.protocol import FaceFeatures, SeenFace
from thfem_core.metrics.judges.spec import JudgeKind, JudgeSpec
from thfem_core.metrics.judges.syncnet import back_end as syncnet
from thfem_core.metrics.measure import Measure
from thfem_core.metrics.network_catalogue import CSIM, CSIM_MEAN, FAD, FAD_UNIT, IDENTITY_COSINE, TARGET


def spec(title: str, kind: JudgeKind, measures: tuple[Measure, ...], *, official: bool = False) -> JudgeSpec:
    """What a judge without a folder declares."""
    return JudgeSpec(
        summary=title, factory="nowhere:load", title=title, kind=kind, official=official, measures=measures
    )


class MeanColour:
    """The face's mean colour, as identity or expression; emotions follow its brightness."""

    width = 3

    def __init__(self, kind: JudgeKind = "identity", *, official: bool = False) -> None:
        measures = (TARGET, CSIM, CSIM_MEAN) if kind == "expression" else (IDENTITY_COSINE,)
        if official and kind == "identity":
            measures += (FAD, FAD_UNIT)
        self.spec = spec(f"mean {kind}", kind, measures, official=official)

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        x, y = landmarks[:, :2].mean(axis=0).astype(int)
        return picture[max(y - 8, 0) : y + 8, max(x - 8, 0) : x + 8][:8, :8].copy()

    def features(self, crops: np.ndarray) -> FaceFeatures:
        vectors = crops.reshape(len(crops), -1, 3).mean(axis=1).astype(np.float32)
        happy = vectors.mean(axis=1, keepdims=True) / 255.0
        emotions = np.hstack([np.repeat((1 - happy) / 6, 4, axis=1), happy, np.repeat((1 - happy) / 6, 2, axis=1)])
        return FaceFeatures(vectors=vectors, emotions=emotions if self.spec.kind == "expression" else None)


class Flicker:
    """Hears the loudness of each frame's sound and sees the brightness of its picture."""

    window = 5

    def __init__(self, *, zero_padded: bool = True) -> None:
        self.zero_padded = zero_padded
        self.spec = spec("flicker", "sync", syncnet.BACK_END.measures)

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
