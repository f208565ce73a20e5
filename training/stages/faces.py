"""What fine-tuning EAT and EAMM share: the configuration and the four losses of Eq. 6 on whole faces."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.ops import roi_align

from thfem_core.errors import InputError
from thfem_core.networks.checkpoint import State
from thfem_core.networks.discriminator import Discriminator

from ..config import DataConfig, LoopConfig
from ..data.face_windows import FaceWindows, Window
from ..data.pair_files import read_splits
from ..losses import PYRAMID, AdversarialLoss, GanKind, PerceptualLoss, pixel_loss, sync_loss
from ..mesh_sync import OURS, MeshSyncExpert
from ..sync_expert import FRAMES, PictureExpert, load_expert
from .base import Batch, Stage, StepOutput, as_batch

Preset = Literal["paper", "adapters", "full"]
_FACE = 96  # pixels of the sync expert's faces


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceStageConfig:
    """How a published talking head is fine-tuned on adjacent frames (Section 3.3).

    Attributes:
        data: what is trained on; needs ``pairs``.
        loop: how long and how.
        files: the published checkpoint and what belongs to it, or a converted file.
        parts: which weights are trained; see the stage.
        sync: weight of Eq. 7 (0.5 in the paper).
        pixel: weight of Eq. 8 (10).
        perceptual: weight of Eq. 9 (1).
        adversarial: weight of Eq. 10 (0.1).
        latent: weight of the squared difference of expression offsets; 0 in the paper, 100 in the released code.
        pixel_area: "picture" as printed, or "face", the 96 × 96 crop that the released code compares.
        gan: form of Eq. 10.
        train_discriminator: False leaves it as it was initialised, as the released code does.
        vgg: file of VGG19's weights; "" leaves Eq. 9 out.
        expert: file of Wav2Lip's sync expert, "thfem-sync" for the pack's own (25 frames per second only), "" leaves
            Eq. 7 out.
        pose: whose head pose is fed: that of the "edited" frames (the paper), or of the "target" frames, which are what
            is compared.
        checkpointing: draw frames again in the backward pass instead of keeping what they need: less memory, a third
            more time.
        unseen_windows: of the validation.
    """

    data: DataConfig
    loop: LoopConfig
    files: tuple[str, ...] = ()
    parts: Preset = "paper"
    sync: float = 0.5
    pixel: float = 10.0
    perceptual: float = 1.0
    adversarial: float = 0.1
    latent: float = 0.0
    pixel_area: Literal["picture", "face"] = "picture"
    gan: GanKind = "hinge"
    train_discriminator: bool = True
    vgg: str = ""
    expert: str = ""
    pose: Literal["edited", "target"] = "edited"
    checkpointing: bool = False
    unseen_windows: int = 8

    def __post_init__(self) -> None:
        if not self.data.pairs:
            raise InputError("data.pairs is missing; give the folder that training.build_pairs made")
        if not self.files:
            raise InputError("files is missing; name the published checkpoint, or a converted file")
        if not any((self.sync and self.expert, self.pixel, self.perceptual and self.vgg, self.latent)):
            raise InputError("every loss is off; give one of pixel, perceptual with vgg, sync with expert, or latent")


class PatchScores(nn.Module):
    """EAT's and EAMM's discriminator as :class:`..losses.AdversarialLoss` asks it."""

    def __init__(self, state: State | None) -> None:
        super().__init__()
        self.net = Discriminator()
        if state is not None:
            self.net.load_state_dict(state)

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.net(images)[1]
        return scores


class FaceLosses(nn.Module):
    """A talking head with the losses of Eq. 6; subclasses draw.

    Everything stays in eval mode: batch norms keep their statistics, spectral norms their vectors.

    Attributes:
        stage: name of its table in the configuration.
    """

    stage: ClassVar[str]

    def __init__(self, net: nn.Module, config: FaceStageConfig) -> None:
        super().__init__()
        self.net, self.config = net, config
        vgg, expert = config.perceptual and config.vgg, config.sync and config.expert
        self.perceptual = PerceptualLoss(Path(vgg), scales=PYRAMID) if vgg else None
        self.expert: PictureExpert | MeshSyncExpert | None = None
        if expert:
            self.expert = MeshSyncExpert() if expert == OURS else load_expert(Path(expert), self._other_expert())
        self.eval()

    def _other_expert(self) -> str:
        return f'set {self.stage}.expert = "{OURS}" (the pack\'s own), or "" for none'

    def train(self, mode: bool = True) -> FaceLosses:
        return super().train(False)

    def predict(self, batch: Batch) -> tuple[Callable[[], Tensor], dict[str, Tensor]]:
        """Subclasses: what draws the (B n, 3, 256, 256) pictures in 0..1, and losses on what comes before."""
        raise NotImplementedError

    def forward(self, batch: Batch, progress: float) -> StepOutput:
        c = self.config
        draw, losses = self.predict(batch)
        if not (c.pixel or c.adversarial or self.perceptual or self.expert):
            return StepOutput(losses)
        drawn, true = draw(), batch["true"].flatten(0, 1).float() / 255
        if c.pixel:
            boxes = numbered(batch["boxes"].flatten(0, 1)) if c.pixel_area == "face" else None
            pictures = [x if boxes is None else roi_align(x, boxes, _FACE, aligned=True) for x in (drawn, true)]
            losses["pixel"] = c.pixel * pixel_loss(*pictures)
        if self.perceptual is not None:
            losses["perceptual"] = c.perceptual * self.perceptual(drawn, true)
        if self.expert is not None and batch["sounding"].any():
            judge = self._mesh_sync if isinstance(self.expert, MeshSyncExpert) else self._sync
            losses["sync"] = c.sync * judge(drawn, batch)
        if not c.adversarial:
            return StepOutput(losses)
        return StepOutput(losses, real=true if c.train_discriminator else None, fake=drawn)

    def _mesh_sync(self, drawn: Tensor, batch: Batch) -> Tensor:
        """All drawn frames of each sounding window, read by the face mesh, against their sound."""
        sounding, expert = batch["sounding"], self.expert
        assert isinstance(expert, MeshSyncExpert)
        sight = {name: batch[name][sounding] for name in ("look", "scale", "rotation", "shift")}
        faces = torch.unflatten(drawn, 0, batch["true"].shape[:2])[sounding]
        loss: Tensor = expert(faces, sight, batch["columns"][sounding])
        return loss

    def _sync(self, drawn: Tensor, batch: Batch) -> Tensor:
        """Five consecutive drawn frames of each sounding window, cut to the faces, against their sound."""
        n, expert = batch["true"].shape[1], self.expert
        assert expert is not None and not isinstance(expert, MeshSyncExpert)
        rows = batch["sync_first"][:, None] + torch.arange(FRAMES, device=drawn.device)
        rows = (rows + n * torch.arange(len(rows), device=drawn.device)[:, None])[batch["sounding"]].flatten()
        faces = roi_align(drawn[rows], numbered(batch["boxes"].flatten(0, 1)[rows]), _FACE, aligned=True)
        lower = torch.unflatten(faces[:, :, _FACE // 2 :], 0, (-1, FRAMES)).flatten(1, 2)
        return sync_loss(expert.embed_lips(lower), expert.embed_sound(batch["sound"][batch["sounding"]]))


def full_precision(like: Tensor) -> torch.autocast:
    """Keypoints, angles and grids need float32: half a hundredth of a picture is several pixels."""
    return torch.autocast(like.device.type, enabled=False)


def numbered(boxes: Tensor) -> Tensor:
    """Boxes (N, 4), one per picture → (N, 5) with the number of the picture, as torchvision wants them."""
    return torch.cat([torch.arange(len(boxes), device=boxes.device)[:, None].to(boxes), boxes], dim=1)


def train_only(net: nn.Module, prefixes: Iterable[str]) -> None:
    """Freeze everything but the parameters whose name contains one of ``prefixes``."""
    trained = tuple(prefixes)
    for name, weight in net.named_parameters():
        weight.requires_grad_(any(part in name for part in trained))


def unseen_windows(data: DataConfig) -> FaceWindows:
    """Held-out pairs; the training pairs, and a line that says so, where none is held out, as in the smallest trials.

    Raises InputError where pairs are damaged.
    """
    if "val" in read_splits(Path(data.pairs)):
        return FaceWindows(data=data, split="val")
    print(f"no pair in {data.pairs} is held out: training pairs are measured instead", file=sys.stderr)
    return FaceWindows(data=data, split="train")


class FaceStage(Stage):
    """Fine-tuning of a published talking head; subclasses say what a window holds besides pictures."""

    config: FaceStageConfig
    network: FaceLosses
    scores: PatchScores | None = None
    idle_parameters = True  # an emotion's head gets a gradient only where a window has that emotion

    def __init__(self, config: FaceStageConfig, network: FaceLosses, discriminator: State | None) -> None:
        self.config, self.network = config, network
        self.windows, self.unseen = FaceWindows(data=config.data, split="train"), unseen_windows(config.data)
        if config.adversarial:
            self.scores = PatchScores(discriminator)
            self.adversarial = AdversarialLoss(self.scores, weight=config.adversarial, kind=config.gan)

    def conditions(self, windows: FaceWindows, window: Window, rng: np.random.Generator) -> dict[str, Any]:
        """Subclasses: sound, pose and emotion of a window."""
        raise NotImplementedError

    def _row(self, windows: FaceWindows, window: Window, rng: np.random.Generator) -> dict[str, np.ndarray]:
        row = windows.pictures(window) | windows.expert_sound(window, rng)
        if isinstance(self.network.expert, MeshSyncExpert):
            row |= windows.mesh_sight(window, self.config.pose, self.network.expert.steps)
        return {name: np.asarray(value) for name, value in (row | self.conditions(windows, window, rng)).items()}

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        return as_batch([self._row(self.windows, self.windows.draw(rng), rng) for _ in range(size)])

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """The weighted losses on windows of held-out pairs."""
        device = next(self.network.parameters()).device
        found: dict[str, list[float]] = {}
        for window in self.unseen.fixed(self.config.unseen_windows):
            batch = as_batch([self._row(self.unseen, window, np.random.default_rng(0))])
            losses = self.network({name: value.to(device) for name, value in batch.items()}, 1.0).losses
            for name, value in losses.items():
                found.setdefault(name, []).append(float(value))
        return {name: float(np.mean(values)) for name, values in found.items()}

    @torch.no_grad()
    def preview(self) -> np.ndarray | None:
        """A row per window: source, then true and drawn of the first and the last target."""
        if not self.config.pixel:
            return None
        device, rows = next(self.network.parameters()).device, []
        for window in self.unseen.fixed(3):
            batch = as_batch([self._row(self.unseen, window, np.random.default_rng(0))])
            batch = {name: value.to(device) for name, value in batch.items()}
            drawn, true = self.network.predict(batch)[0](), batch["true"][0].float() / 255
            shown = [batch["source"][0].float() / 255, true[0], drawn[0], true[-1], drawn[-1]]
            rows.append(torch.cat(shown, dim=2))
        picture = torch.cat(rows, dim=1).permute(1, 2, 0).float().cpu().numpy()
        return (picture * 255).round().astype(np.uint8)
