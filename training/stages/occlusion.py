"""Training the occlusion network: which pixels of a face picture show something in front of the face."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thfem_core.errors import InputError
from thfem_core.face.occlusion.network import STRIDE, OcclusionNet

from ..config import LoopConfig
from ..occluders.compose import FacePictures, draw_sample
from .base import Batch, Stage, StepOutput, as_batch, half_precision

OUTSIDE = 0.08  # weight of mistakes beside the face
OVERLAP = 1.0  # weight of the soft intersection over union, beside the cross entropy
_SEEN = 240  # samples that are measured
_SETTLING = 40  # batches


@dataclass(frozen=True, kw_only=True, slots=True)
class OcclusionStageConfig:
    """The occlusion stage.

    Attributes:
        loop: how long and how.
        faces: folder that training.build_face_pictures made.
        left_out: beginnings of the names of files that show something in front of a face.
    """

    loop: LoopConfig
    faces: str = "runs/faces"
    left_out: tuple[str, ...] = ()


def load_faces(folder: Path, split: str, left_out: tuple[str, ...] = ()) -> FacePictures:
    """The pictures of one split.

    Raises:
        InputError: they have not been made.
    """
    path = folder / f"{split}.npz"
    if not path.is_file():
        raise InputError(f"there is no {path}; make it with python -m training.build_face_pictures DATA {folder}")
    with np.load(path) as stored:
        kept = np.array([not str(name).startswith(left_out) for name in stored["files"]]) if left_out else slice(None)
        return FacePictures(
            pictures=stored["pictures"][kept], outlines=stored["outlines"][kept], people=stored["people"][kept]
        )


class OcclusionLosses(nn.Module):
    """Cross entropy per pixel and one minus the soft intersection over union, mostly inside the face."""

    def __init__(self) -> None:
        super().__init__()
        self.net = OcclusionNet()

    def forward(self, batch: Batch, progress: float) -> StepOutput:
        pictures = (batch["picture"].float() / 255).contiguous(memory_format=torch.channels_last)
        odds = self.net(pictures).float()
        truth = F.avg_pool2d(batch["covered"].float()[:, None], STRIDE)
        face = F.avg_pool2d(batch["face"].float()[:, None], STRIDE)
        weight = OUTSIDE + (1 - OUTSIDE) * face
        entropy = (weight * F.binary_cross_entropy_with_logits(odds, truth, reduction="none")).sum() / weight.sum()
        said = odds.sigmoid()
        both = (face * said * truth).sum(dim=(1, 2, 3))
        either = (face * (said + truth - said * truth)).sum(dim=(1, 2, 3))
        some = (face * truth).sum(dim=(1, 2, 3)) > 8  # pixels of the answer
        overlap = (some * (1 - both / (either + 1))).sum() / (some.sum() + 1)
        return StepOutput({"entropy": entropy, "overlap": OVERLAP * overlap})


class OcclusionStage(Stage):
    """The occlusion network, on real faces with drawn occluders."""

    config: OcclusionStageConfig
    network: OcclusionLosses

    def __init__(self, config: OcclusionStageConfig) -> None:
        self.config, self.network = config, OcclusionLosses()
        self.faces, self.unseen = (load_faces(Path(config.faces), name, config.left_out) for name in ("train", "val"))
        self._of_person = [np.flatnonzero(self.faces.people == name) for name in np.unique(self.faces.people)]

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        rows = []
        for _ in range(size):
            mine = self._of_person[rng.integers(len(self._of_person))]
            sample = draw_sample(rng, self.faces, int(rng.choice(mine)))
            picture = np.ascontiguousarray(sample.picture.transpose(2, 0, 1))
            rows.append({"picture": picture, "covered": sample.covered, "face": sample.face})
        return as_batch(rows)

    @torch.no_grad()
    def finish(self) -> None:
        """Measure the means and variances that normalisation needs anew: those of the run belong to other weights."""
        layers = [each for each in self.network.modules() if isinstance(each, nn.BatchNorm2d)]
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # a plain mean
        self.network.train()
        device = next(self.network.parameters()).device
        for number in range(_SETTLING):
            batch = self.draw(np.random.default_rng([1, number]), 16)
            self.network({name: value.to(device) for name, value in batch.items()}, 1.0)
        for layer in layers:
            layer.momentum = 0.1
        self.network.eval()

    def validate(self) -> dict[str, float]:
        self.finish()
        return occlusion_scores(self.network.net, self.unseen, count=_SEEN)

    def exported(self) -> dict[str, Tensor]:
        return half_precision(self.network.net)


@torch.no_grad()
def occlusion_scores(net: OcclusionNet, faces: FacePictures, *, count: int, seed: int = 0) -> dict[str, float]:
    """Measure a network on occluders of unseen textures, raw at odds of one, inside the face.

    Args:
        net: in eval mode.
        faces: people it has not seen.
        count: samples.
        seed: of the samples.

    Returns:
        ``iou``, mean over samples with at least 2 % of the face covered; ``false``, share of clean faces' pixels
        that are called covered.
    """
    device = next(net.parameters()).device
    overlaps, false = [], []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        sample = draw_sample(rng, faces, number * 7919 % len(faces.people), unseen=True)
        picture = torch.from_numpy(sample.picture.transpose(2, 0, 1)[None].copy()).to(device).float() / 255
        said = F.interpolate(net(picture), scale_factor=STRIDE, mode="bilinear")[0, 0].cpu().numpy() > 0
        said, truth = said & sample.face, sample.covered & sample.face
        if truth.sum() > 0.02 * sample.face.sum():
            overlaps.append((said & truth).sum() / (said | truth).sum())
        elif not sample.covered.any():
            false.append(said.sum() / sample.face.sum())
    return {"iou": float(np.mean(overlaps)), "false": float(np.mean(false))}
