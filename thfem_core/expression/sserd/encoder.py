"""SSERD's encoder: StyleGANEX's version of pSp (Richardson et al., CVPR 2021)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .fusion import Fusion
from .generator import CODES
from .modulated import LATENT

_GROUPS = ((64, 3), (128, 4), (256, 14), (512, 3))  # channels and blocks of the IR-SE backbone
_FUSIONS = ((256, 512),) * 4 + ((128, 512), (64, 256), (64, 128))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Encoded:
    """What the encoder reads from pictures of 256 × 256.

    codes: Latent codes, relative to the average (B, 18, 512).
    features: Input of the generator (B, 512, 32, 32).
    skips: Features for the generator's first seven levels.
    """

    codes: Tensor
    features: Tensor
    skips: tuple[Tensor, ...]


class _SqueezeExcite(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // 16, 1, bias=False)
        self.fc2 = nn.Conv2d(channels // 16, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(x.mean(dim=(2, 3), keepdim=True)))))


class _Block(nn.Module):
    """A residual block with squeeze and excitation."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer = (
            nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))
            if inputs != outputs
            else None
        )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.PReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            _SqueezeExcite(outputs),
        )
        self._stride = stride

    def forward(self, x: Tensor) -> Tensor:
        kept = x[:, :, :: self._stride, :: self._stride] if self.shortcut_layer is None else self.shortcut_layer(x)
        y: Tensor = kept + self.res_layer(x)
        return y


class _ScaledLinear(nn.Linear):
    """A linear layer whose weights are scaled by 1 / √inputs when used."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight / math.sqrt(self.in_features), self.bias)


class _StyleHead(nn.Module):
    """One latent code from a feature map, halved until a pixel is left."""

    def __init__(self, halvings: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(halvings):
            layers += [nn.Conv2d(LATENT, LATENT, 3, stride=2, padding=1), nn.LeakyReLU()]
        self.convs = nn.Sequential(*layers)
        self.linear = _ScaledLinear(LATENT, LATENT)

    def forward(self, x: Tensor) -> Tensor:
        code: Tensor = self.linear(self.convs(x).mean(dim=(2, 3)))
        return code


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=True)


class Encoder(nn.Module):
    """Read latent codes and features from a picture; holds the generator's fusion layers too."""

    def __init__(self, *, attention: bool = True, picture: bool = True) -> None:
        """Build the encoder.

        Args:
            attention: Whether the checkpoint's fusions mask by emotion (its option ``use_att``).
            picture: Whether they merge the picture too (its option ``use_skip_torgb``).
        """
        super().__init__()
        self.input_layer = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64))
        blocks: list[nn.Module] = []
        inputs = 64
        for width, count in _GROUPS:
            for index in range(count):
                blocks.append(_Block(inputs, width, 2 if index == 0 else 1))
                inputs = width
        self.body = nn.ModuleList(blocks)
        self.styles = nn.ModuleList(_StyleHead(4 if i < 3 else 5 if i < 7 else 6) for i in range(CODES))
        self.latlayer1 = nn.Conv2d(256, LATENT, 1)
        self.latlayer2 = nn.Conv2d(128, LATENT, 1)
        self.featlayer = nn.Conv2d(768, LATENT, 1)
        self.skiplayer = nn.Conv2d(768, 3, 1)
        self.fusion = nn.ModuleList(Fusion(*widths, attention=attention, picture=picture) for widths in _FUSIONS)

    def forward(self, picture: Tensor) -> Encoded:
        """Read pictures (B, 3, 256, 256) in -1..1."""
        x = self.input_layer(picture)
        taps = {"c256": x}
        names = {2: "c128", 6: "c1", 10: "c21", 15: "c22", 20: "c2", 23: "c3"}
        for index, block in enumerate(self.body):
            x = block(x)
            if index in names:
                taps[names[index]] = x
        coarse = taps["c3"]
        middle = _enlarged(coarse, taps["c2"]) + self.latlayer1(taps["c2"])
        fine = _enlarged(middle, taps["c1"]) + self.latlayer2(taps["c1"])
        maps = [coarse] * 3 + [middle] * 4 + [fine] * 11
        codes = torch.stack([head(each) for head, each in zip(self.styles, maps, strict=True)], dim=1)
        features = self.featlayer(torch.cat([taps["c21"], taps["c22"], taps["c2"]], dim=1))
        skips = tuple(taps[name] for name in ("c2", "c2", "c22", "c21", "c1", "c128", "c256"))
        return Encoded(codes=codes, features=features, skips=skips)
