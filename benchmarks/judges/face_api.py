"""The expression network of face-api.js (MIT, 310 kB): the best of the three judges, but in no PyPI package.

Place ``face_expression_model-shard1`` and ``face_expression_model-weights_manifest.json`` (folder ``weights`` of
github.com/justadudewhohacks/face-api.js) into the judges' folder to have it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

SHARD, MANIFEST = "face_expression_model-shard1", "face_expression_model-weights_manifest.json"
LABELS = ("neutral", "happy", "sad", "angry", "fear", "disgusted", "surprised")
_MEAN = torch.tensor([122.782, 117.001, 104.298])[:, None, None]


def _read(folder: Path) -> dict[str, torch.Tensor]:
    """Weights by name, in TensorFlow's layout: 8-bit values are ``scale`` · value + ``min``."""
    data, offset, weights = (folder / SHARD).read_bytes(), 0, {}
    for entry in json.loads((folder / MANIFEST).read_text())[0]["weights"]:
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

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._weights = _read(folder)

    def _convolved(self, x: torch.Tensor, name: str, *, stride: int) -> torch.Tensor:
        x = functional.pad(x, (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1))  # TensorFlow's "same"
        bias = self._weights[f"{name}/bias"]
        if f"{name}/filters" in self._weights:
            return functional.conv2d(x, self._weights[f"{name}/filters"].permute(3, 2, 0, 1), bias, stride=stride)
        depthwise = self._weights[f"{name}/depthwise_filter"].permute(2, 3, 0, 1)
        x = functional.conv2d(x, depthwise, stride=stride, groups=len(depthwise))
        return functional.conv2d(x, self._weights[f"{name}/pointwise_filter"].permute(3, 2, 0, 1), bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = (x - _MEAN) / 255.0
        for block in range(4):
            total = self._convolved(x, f"dense{block}/conv0", stride=2).relu()
            x = total
            for layer in range(1, 4):
                total = total + self._convolved(x, f"dense{block}/conv{layer}", stride=1)
                x = total.relu()
        return x.mean(dim=(2, 3)) @ self._weights["fc/weights"] + self._weights["fc/bias"]
