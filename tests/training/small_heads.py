"""EAT's and EAMM's stages with generators that draw in no time; everything before the drawing is as published.

With THFEM_FULL_SIZE=1 in the environment the generators are the published ones too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from thfem_core.talking_head.eat.generator import EmotionAdapter
from training.config import DataConfig, LoopConfig
from training.stages import eamm, eat
from training.stages.faces import FaceStage, train_only

FULL_SIZE = "THFEM_FULL_SIZE" in os.environ
LOOP = LoopConfig(steps=2, batch=1, lr=1e-3, warmup=0, weight_decay=0.0, ema=0.0, log_every=1, validate_every=1000)


@contextmanager
def comparable_gradients() -> Iterator[None]:
    """At full size, compute everything in float64 inside.

    Gradients of the published generators with random weights are mostly rounding in float32 (those of EAMM differ by a
    tenth from the ones in float64), so that windows one by one and two at once can only be compared so.
    """
    if not FULL_SIZE:
        yield
        return
    torch.set_default_dtype(torch.float64)
    try:
        with mock.patch.object(torch.Tensor, "float", torch.Tensor.double):
            yield
    finally:
        torch.set_default_dtype(torch.float32)


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
        return _as_precise(stage) if torch.get_default_dtype() == torch.float64 else stage
    torch.manual_seed(1)
    module, small = (eat, SmallEat) if isinstance(stage, eat.EatStage) else (eamm, SmallEamm)
    stage.network.net.generator = small()
    train_only(stage.network.net, module.PARTS["paper"])
    return stage


def _as_precise(stage: FaceStage) -> FaceStage:
    """The stage with weights and batches in float64, for training only."""
    draw = stage.draw
    stage.network.double()
    stage.draw = lambda rng, size: {  # type: ignore[method-assign]
        name: value.double() if value.is_floating_point() else value for name, value in draw(rng, size).items()
    }
    stage.validate = dict  # type: ignore[method-assign]
    stage.preview = lambda: None  # type: ignore[method-assign]
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
