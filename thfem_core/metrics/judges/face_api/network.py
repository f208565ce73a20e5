"""The expression network of face-api.js (MIT, 310 kB): dense blocks of separable convolutions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

LABELS = ("neutral", "happy", "sad", "angry", "fear", "disgusted", "surprised")
FEATURES = 256
_MEAN = (122.782, 117.001, 104.298)


def _read(shard: Path, layout: Path) -> dict[str, torch.Tensor]:
    """Weights by name, in TensorFlow's layout: 8-bit values are ``scale`` · value + ``min``."""
    data, offset, weights = shard.read_bytes(), 0, {}
    for entry in json.loads(layout.read_text())[0]["weights"]:
        count, packing = int(np.prod(entry["shape"])), entry.get("quantization")
        kind = np.uint8 if packing else np.float32
        values = np.frombuffer(data, kind, count, offset).astype(np.float32)
        offset += count * np.dtype(kind).itemsize
        if packing:
            values = values * packing["scale"] + packing["min"]
        weights[entry["name"]] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return weights


class FaceApiExpression(nn.Module):
    """(N, 3, 112, 112) RGB 0..255 → (N, 7) logits in the order of LABELS: dense blocks of separable convolutions."""

    def __init__(self, weights: Mapping[str, torch.Tensor]) -> None:
        super().__init__()
        self._names = {name: name.replace("/", "_").replace(".", "_") for name in weights}
        for name, value in weights.items():
            self.register_buffer(self._names[name], value)

    @classmethod
    def from_files(cls, shard: Path, layout: Path) -> FaceApiExpression:
        """Raises ValueError or KeyError where the files do not belong together."""
        return cls(_read(shard, layout))

    def _weight(self, name: str) -> torch.Tensor:
        return self.get_buffer(self._names[name])

    def _convolved(self, x: torch.Tensor, name: str, *, stride: int) -> torch.Tensor:
        x = functional.pad(x, (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1))  # TensorFlow's "same"
        bias = self._weight(f"{name}/bias")
        if f"{name}/filters" in self._names:
            return functional.conv2d(x, self._weight(f"{name}/filters").permute(3, 2, 0, 1), bias, stride=stride)
        depthwise = self._weight(f"{name}/depthwise_filter").permute(2, 3, 0, 1)
        x = functional.conv2d(x, depthwise, stride=stride, groups=len(depthwise))
        return functional.conv2d(x, self._weight(f"{name}/pointwise_filter").permute(3, 2, 0, 1), bias)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 256): the pooled last block."""
        x = (x - torch.tensor(_MEAN, device=x.device)[:, None, None]) / 255.0
        for block in range(4):
            total = self._convolved(x, f"dense{block}/conv0", stride=2).relu()
            x = total
            for layer in range(1, 4):
                total = total + self._convolved(x, f"dense{block}/conv{layer}", stride=1)
                x = total.relu()
        return x.mean(dim=(2, 3))

    def classify(self, features: torch.Tensor) -> torch.Tensor:
        """(N, 256) → (N, 7) logits."""
        return features @ self._weight("fc/weights") + self._weight("fc/bias")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classify(self.features(x))
