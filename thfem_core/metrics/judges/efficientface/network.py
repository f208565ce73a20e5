"""EfficientFace, the expression network behind CSIM (Zhao et al., AAAI 2021): 418 entries, 1 275 293 parameters.

A ShuffleNet v2 whose first stage is modulated by channel and spatial attention and joined by features of the four
quarters of the picture.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

WIDTHS, REPEATS = (29, 116, 232, 464), (4, 8, 4)
FEATURES = 1024
LABELS = ("neutral", "happy", "sad", "surprised", "fear", "disgusted", "angry")
# Of RGB in 0..1 over the training pictures of RAF-DB.
MEAN, STD = (0.57535914, 0.44928582, 0.40079932), (0.20735591, 0.18981615, 0.18132027)


def _convolved(before: int, after: int, size: int, *, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """A convolution without bias, and its normalisation."""
    conv = nn.Conv2d(before, after, size, stride=stride, padding=size // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(after)]


class ShuffleUnit(nn.Module):
    """A ShuffleNet v2 unit: half of the channels pass (or are halved in size), half are convolved, then both mix."""

    def __init__(self, before: int, after: int, *, stride: int) -> None:
        super().__init__()
        half = after // 2
        self.stride = stride
        self.branch1 = nn.Sequential()
        if stride > 1:
            self.branch1 = nn.Sequential(
                *_convolved(before, before, 3, stride=stride, groups=before), *_convolved(before, half, 1), nn.ReLU()
            )
        self.branch2 = nn.Sequential(
            *_convolved(before if stride > 1 else half, half, 1),
            nn.ReLU(),
            *_convolved(half, half, 3, stride=stride, groups=half),
            *_convolved(half, half, 1),
            nn.ReLU(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept, convolved = (x, x) if self.stride > 1 else x.chunk(2, dim=1)
        x = torch.stack([self.branch1(kept), self.branch2(convolved)], dim=2)
        return x.flatten(1, 2)  # channel shuffle in two groups


class _ChannelGate(nn.Module):
    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.gate_c = nn.Sequential()
        self.gate_c.add_module("gate_c_fc_0", nn.Linear(channels, hidden))
        self.gate_c.add_module("gate_c_bn_1", nn.BatchNorm1d(hidden))
        self.gate_c.add_module("gate_c_relu_1", nn.ReLU())
        self.gate_c.add_module("gate_c_fc_final", nn.Linear(hidden, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gate_c(x.mean(dim=(2, 3)))[:, :, None, None]


class _SpatialGate(nn.Module):
    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        gate = nn.Sequential()
        gate.add_module("gate_s_conv_reduce0", nn.Conv2d(channels, hidden, 1))
        gate.add_module("gate_s_bn_reduce0", nn.BatchNorm2d(hidden))
        gate.add_module("gate_s_relu_reduce0", nn.ReLU())
        for i in range(2):
            gate.add_module(f"gate_s_conv_di_{i}", nn.Conv2d(hidden, hidden, 3, padding=4, dilation=4))
            gate.add_module(f"gate_s_bn_di_{i}", nn.BatchNorm2d(hidden))
            gate.add_module(f"gate_s_relu_di_{i}", nn.ReLU())
        gate.add_module("gate_s_conv_final", nn.Conv2d(hidden, 1, 1))
        self.gate_s = gate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gate_s(x)


class Modulator(nn.Module):
    """Attention over channels × attention over places, as a gain of 0 to 1."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.channel_att = _ChannelGate(channels, channels // reduction)
        self.spatial_att = _SpatialGate(channels, channels // reduction)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(self.channel_att(x) * self.spatial_att(x))


class LocalFeatures(nn.Module):
    """Each quarter of the picture through depthwise convolutions of its own."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        for number in range(1, 5):
            first, first_norm = _convolved(before, after, 3, stride=2, groups=before)
            second, second_norm = _convolved(after, after, 3, groups=after)
            self.add_module(f"conv{number}_1", first)
            self.add_module(f"bn{number}_1", first_norm)
            self.add_module(f"conv{number}_2", second)
            self.add_module(f"bn{number}_2", second_norm)

    def _quarter(self, x: torch.Tensor, number: int) -> torch.Tensor:
        for layer in (1, 2):
            conv, norm = (self.get_submodule(f"{kind}{number}_{layer}") for kind in ("conv", "bn"))
            x = norm(conv(x)).relu()
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # Numbered column by column: 1 and 2 are the left half.
        left, right = x.chunk(2, dim=3)
        quarters = [part for half in (left, right) for part in half.chunk(2, dim=2)]
        seen = [self._quarter(quarter, number) for number, quarter in enumerate(quarters, start=1)]
        return torch.cat([torch.cat(seen[:2], dim=2), torch.cat(seen[2:], dim=2)], dim=3)


class EfficientFace(nn.Module):
    """RGB (N, 3, 224, 224), normalised by :data:`MEAN` and :data:`STD` → logits (N, 7) in the order of LABELS."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(*_convolved(3, WIDTHS[0], 3, stride=2), nn.ReLU())
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        for number, (repeats, (before, after)) in enumerate(zip(REPEATS, pairwise(WIDTHS), strict=True), start=2):
            units = [ShuffleUnit(before, after, stride=2)]
            units += [ShuffleUnit(after, after, stride=1) for _ in range(repeats - 1)]
            self.add_module(f"stage{number}", nn.Sequential(*units))
        self.local = LocalFeatures(WIDTHS[0], WIDTHS[1])
        self.modulator = Modulator(WIDTHS[1])
        self.conv5 = nn.Sequential(*_convolved(WIDTHS[-1], FEATURES, 1), nn.ReLU())
        self.fc = nn.Linear(FEATURES, len(LABELS))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 1024) ≥ 0: the pooled last convolution, which CSIM compares."""
        x = self.maxpool(self.conv1(x))
        x = self.modulator(self.get_submodule("stage2")(x)) + self.local(x)
        return self.conv5(self.get_submodule("stage4")(self.get_submodule("stage3")(x))).mean(dim=(2, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.features(x))
