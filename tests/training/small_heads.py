"""EAT's and EAMM's stages with generators that draw in no time; everything before the drawing is as published.

With THFEM_FULL_SIZE=1 in the environment the generators are the published ones too.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from thfem_core.talking_head.eat.generator import EmotionAdapter
from training.config import DataConfig, LoopConfig
from training.stages import eamm, eat
from training.stages.faces import FaceStage, train_only

FULL_SIZE = "THFEM_FULL_SIZE" in os.environ
LOOP = LoopConfig(steps=2, batch=1, lr=1e-3, warmup=0, weight_decay=0.0, ema=0.0, log_every=1, validate_every=1000)
# How one process is compared with two. At full size with random weights, rounding is a large part of gradients (EAMM's
# differ by a tenth from those in float64, in which one process and two agree to ten digits): the discriminator, which
# normalises almost flat pictures, adds to it, and a second step starts from other weights, as Adam turns around where a
# gradient is 0 but for rounding.
COMPARED = {"adversarial": 0.0} if FULL_SIZE else {}
COMPARED_LOOP = replace(LOOP, steps=1) if FULL_SIZE else LOOP
SAME = 0.05 if FULL_SIZE else 0.01  # of the gradient's length


class SmallEat(nn.Module):
    """Draws a flat picture whose colour depends on emotion and keypoints."""

    def __init__(self) -> None:
        super().__init__()
        self.ea3d = EmotionAdapter(32)
        self.first = nn.Linear(15 * 3, 3)

    def encode(self, images: Tensor, emotion: Tensor) -> eat.SourceAppearance:
        volume = self.ea3d(images.new_ones(len(images), 32, 1, 1, 1), emotion)
        return eat.SourceAppearance(volume, volume)

    def motion(self, appearance: eat.SourceAppearance, source: Tensor, driving: Tensor) -> Tensor:
        return driving - source

    def warp(self, appearance: eat.SourceAppearance, motion: Tensor) -> Tensor:
        return self.first(motion.flatten(1)) + appearance.volume.mean(dim=(1, 2, 3, 4))[:, None]

    def decoder(self, colour: Tensor) -> Tensor:
        return torch.sigmoid(colour.float())[:, :, None, None].expand(-1, -1, 256, 256)


class SmallEamm(nn.Module):
    """Draws a flat picture whose colour depends on keypoints and the source."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(10 * 6, 3)

    def encode(self, images: Tensor) -> eamm.SourceAppearance:
        return eamm.SourceAppearance(images[:, :, ::64, ::64], images[:, :, ::64, ::64])

    def motion(self, appearance: eamm.SourceAppearance, source, driving) -> Tensor:
        return torch.cat([driving.value, driving.jacobian.flatten(2)], dim=2).flatten(1)

    def draw(self, appearance: eamm.SourceAppearance, motion: Tensor) -> Tensor:
        colour = self.first(motion) + appearance.features.mean(dim=(2, 3))
        return torch.sigmoid(colour.float())[:, :, None, None].expand(-1, -1, 256, 256)


def with_small_generator(stage: FaceStage) -> FaceStage:
    """The stage with a small generator, unless at full size; its trained parts as in the preset "paper"."""
    if FULL_SIZE:
        return stage
    torch.manual_seed(1)
    module, small = (eat, SmallEat) if isinstance(stage, eat.EatStage) else (eamm, SmallEamm)
    stage.network.net.generator = small()
    train_only(stage.network.net, module.PARTS["paper"])
    return stage


def make_stage(name: str, pairs: Path, folder: Path, **settings: Any) -> FaceStage:
    """As it begins, from files in ``folder``, with the published generator."""
    data = DataConfig(pairs=str(pairs), window=1)
    torch.manual_seed(0)
    if name == "eat":
        names = ("00000429-checkpoint.pth.tar", "U_mead.npy", "mean_mead.npy", "pad.npy")
        files, graph = tuple(str(folder / file) for file in names), str(folder / "output_graph.pb")
        return eat.EatStage(eat.EatStageConfig(data=data, loop=LOOP, files=files, deepspeech=graph, **settings))
    files = (str(folder / "eamm.safetensors"),)
    return eamm.EammStage(eamm.EammStageConfig(data=data, loop=LOOP, files=files, **settings))
