"""Training the mouth renderer: source frame i and the meshes of frames i+1..i+n → their mouth regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from thfem_core.audio.profile import WAV2LIP
from thfem_core.errors import InputError
from thfem_core.face.mesh.lip_motion import lip_aperture
from thfem_core.talking_head.mouth.coefficients import MouthBasis
from thfem_core.talking_head.mouth.geometry import OUTER_LIPS, mouth_geometry, skull_points
from thfem_core.talking_head.mouth.networks import load_renderer
from thfem_core.talking_head.mouth.paste import lower_face
from thfem_core.talking_head.mouth.region import MARGIN, WIDE_PIXELS, mouth_regions, place_mesh
from thfem_core.talking_head.mouth.renderer import MouthRenderer, RendererConfig, warp_only

from ..config import DataConfig, LoopConfig
from ..data.clips import SpeakingClip, load_clips, person_weights, sound_at
from ..data.prepare import PreparedClip
from ..losses import AdversarialLoss, GanKind, MouthDiscriminator, PerceptualLoss, pixel_loss, sync_loss
from ..sync_expert import COLUMNS, FRAMES, PictureExpert, load_expert, lower_faces
from .base import Batch, Stage, StepOutput, half_precision

MOUTH = 64  # side of the square of the region around the lips that the perceptual loss and the discriminator look at


@dataclass(frozen=True, kw_only=True, slots=True)
class RendererStageConfig:
    """The renderer stage; ``sync``, ``pixel``, ``perceptual`` and ``adversarial`` are the weights of Eq. 6.

    Attributes:
        data: what is trained on.
        loop: how long and how.
        network: size of the network.
        sync: weight of Eq. 7; without sound or expert there is no sync loss.
        pixel: weight of Eq. 8.
        perceptual: weight of Eq. 9.
        adversarial: weight of Eq. 10.
        gan: form of Eq. 10.
        vgg: file of VGG's weights (see training.convert_lpips); "" for none.
        vgg_depth: blocks of it that are looked through.
        looked: random share of the targets that it looks at.
        expert: file of Wav2Lip's sync expert; "" for none.
        inner_weight: of a pixel inside the mouth against one of skin.
        adversarial_from: share of the steps after which the adversarial loss begins.
        far: share of windows whose targets begin up to ``far_reach`` frames after the source.
        far_reach: frames.
        drawn: so many targets in a row are drawn of each window, at a random place in it; 0 for all. Windows of any
            length then cost the same.
        start: file of a trained renderer to go on from; "" for none.
        openings: how much more often windows are drawn in which the mouth opens or closes much.
        jitter: pixels of noise on the target mesh, constant over a window; 0 also leaves the light of the windows as
            it is.
    """

    data: DataConfig
    loop: LoopConfig
    network: RendererConfig = field(default_factory=RendererConfig)
    sync: float = 0.5
    pixel: float = 10.0
    perceptual: float = 1.0
    adversarial: float = 0.1
    gan: GanKind = "hinge"
    vgg: str = ""
    vgg_depth: int = 3
    looked: float = 0.6
    expert: str = ""
    inner_weight: float = 8.0
    adversarial_from: float = 0.6
    far: float = 0.25
    far_reach: int = 30
    drawn: int = 0
    start: str = ""
    openings: float = 3.0
    jitter: float = 0.25

    def __post_init__(self) -> None:
        if not 1 <= self.vgg_depth <= 5:
            raise InputError(f"renderer.vgg_depth is {self.vgg_depth}; give 1 to 5 blocks")
        if not 0 < self.looked <= 1:
            raise InputError(f"renderer.looked is {self.looked:g}; give a share above 0, up to 1")
        if self.far_reach < 2:
            raise InputError(f"renderer.far_reach is {self.far_reach}; give 2 frames or more")
        if not 0 <= self.drawn <= self.data.window:
            raise InputError(f"renderer.drawn is {self.drawn}; give 0 to {self.data.window}, the window's targets")


class RendererLosses(nn.Module):
    """The renderer and its losses on a batch of windows."""

    def __init__(
        self,
        net: MouthRenderer,
        config: RendererStageConfig,
        *,
        perceptual: PerceptualLoss | None = None,
        expert: PictureExpert | None = None,
    ) -> None:
        super().__init__()
        self.net, self.config, self.perceptual, self.expert = net, config, perceptual, expert

    def train(self, mode: bool = True) -> RendererLosses:
        """The sync expert stays as it is."""
        super().train(mode)
        if self.expert is not None:
            self.expert.eval()
        return self

    def forward(self, batch: Batch, progress: float) -> StepOutput:
        c = self.config
        true, alpha = batch["true"].float() / 255, batch["alpha"]
        source = batch["source"].float() / 255
        count = len(true) // len(source)
        source = source.repeat_interleave(count, dim=0)
        source_mask = batch["source_mask"].repeat_interleave(count, dim=0)
        drawn = self.net(source, source_mask, batch["flows"], batch["target_masks"])
        inside = batch["target_masks"][:, :1]
        losses = {"pixel": c.pixel * pixel_loss(drawn, true, alpha * (1 + (c.inner_weight - 1) * inside))}
        mouths = torch.stack([cut(picture, corner) for picture, corner in zip(drawn, batch["corner"], strict=True)])
        real = torch.stack([cut(picture, corner) for picture, corner in zip(true, batch["corner"], strict=True)])
        if self.perceptual is not None:
            looked = torch.randperm(len(mouths), device=mouths.device)[: max(1, round(c.looked * len(mouths)))]
            losses["perceptual"] = c.perceptual * self.perceptual(mouths[looked], real[looked])
        sounding = batch["sounding"]
        if self.expert is not None and count == FRAMES and sounding.any():
            pasted = batch["whole"].float() / 255  # as the viewer sees it: with what lies around the region
            middle(pasted, drawn.shape[-1]).copy_(drawn * alpha + true * (1 - alpha))
            faces = lower_faces(torch.unflatten(pasted, 0, (-1, count))[sounding])
            losses["sync"] = c.sync * sync_loss(
                self.expert.embed_lips(faces), self.expert.embed_sound(batch["sound"][sounding])
            )
        if progress < c.adversarial_from:
            return StepOutput(losses)
        return StepOutput(losses, real=real, fake=mouths)


def middle(regions: Tensor, size: int) -> Tensor:
    """The ``size`` x ``size`` pixels in the middle of (..., R, R), a view."""
    margin = (regions.shape[-1] - size) // 2
    return regions[..., margin : margin + size, margin : margin + size]


def cut(picture: Tensor, corner: Tensor) -> Tensor:
    """The MOUTH-sized square of (3, S, S) whose first row and column are ``corner``."""
    y, x = int(corner[0]), int(corner[1])
    return picture[:, y : y + MOUTH, x : x + MOUTH]


class RendererStage(Stage):
    """The mouth renderer: source frame i and the meshes of frames i+1 … i+n → their mouth regions."""

    config: RendererStageConfig
    network: RendererLosses

    def __init__(self, config: RendererStageConfig, basis: MouthBasis) -> None:
        self.config = config

        def keep(clip: PreparedClip) -> bool:
            return clip.regions is not None and len(clip.landmarks) >= config.data.window + 2

        self.clips = load_clips(config.data, "train", basis, keep=keep)
        self.unseen = load_clips(config.data, "val", basis, keep=keep)
        self.weights = person_weights(self.clips, config.data.identity_power)
        vgg, expert = (config.perceptual and config.vgg), (config.sync and config.expert)
        self.network = RendererLosses(
            first_network(config),
            config,
            perceptual=PerceptualLoss(Path(vgg), depth=config.vgg_depth) if vgg else None,
            expert=load_expert(Path(expert), 'set renderer.expert = ""') if expert else None,
        )
        if config.adversarial:
            self.adversarial = AdversarialLoss(MouthDiscriminator(), weight=config.adversarial, kind=config.gan)

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        config = self.config
        rows: list[dict[str, np.ndarray]] = []
        while len(rows) < size:
            clip = self.clips[rng.choice(len(self.clips), p=self.weights)]
            n = config.data.window
            away = int(rng.integers(1, config.far_reach)) if rng.random() < config.far else 0
            away = max(0, min(away, clip.frames - n - 2))
            first = np.arange(clip.frames - n - away)
            if config.data.adjacent:
                gap = lip_aperture(clip.shapes)
                later = (first + away + n, first + away + 1 + n // 2)
                change = sum(np.abs(gap[at] - gap[first]) for at in later)
                odds = 1 + config.openings * change / (change.mean() + 0.5)
                source = int(rng.choice(first, p=odds / odds.sum()))
                targets = source + away + 1 + np.arange(n)
            else:
                source = int(rng.integers(clip.frames))
                targets = int(rng.integers(len(first))) + 1 + np.arange(n)
            if config.drawn:
                skipped = int(rng.integers(n - config.drawn + 1))
                targets = targets[skipped : skipped + config.drawn]
            rows.append(window_tensors(clip, source, targets, config, rng))
        batch = {}
        for name in rows[0]:
            values = [torch.from_numpy(np.asarray(row[name], order="C")) for row in rows]
            # one per target: windows one after the other; one per window: stacked
            batch[name] = torch.cat(values) if name in PER_TARGET else torch.stack(values)
        return batch

    def validate(self) -> dict[str, float]:
        return renderer_scores(self.network, self.unseen)

    def exported(self) -> dict[str, Tensor]:
        return half_precision(self.network.net)

    def preview(self) -> np.ndarray:
        """One row per person: source frame; true, warped and drawn for the first, middle and last target."""
        rows = []
        for clip in self.unseen[:6]:
            source = min(clip.frames // 3, clip.frames - self.config.data.window - 1)
            batch = still_window(self.network, clip, source)
            drawn, warped = render_window(self.network.net, batch)
            first = middle(batch["source"], drawn.shape[-1]).float() / 255
            picks = (0, len(drawn) // 2, len(drawn) - 1)
            rows.append(torch.cat([first, *(x[i] for i in picks for x in (batch["true"] / 255, warped, drawn))], dim=2))
        picture = torch.cat(rows, dim=1).permute(1, 2, 0).cpu().numpy()
        return (picture * 255).round().astype(np.uint8)


def first_network(config: RendererStageConfig) -> MouthRenderer:
    """What training begins with. Raises ThfemError where the file to go on from does not fit."""
    net = MouthRenderer(config.network)
    if config.start:
        known = load_renderer(Path(config.start))
        if known.config != config.network:
            raise InputError(f"renderer.start, {config.start}, has the sizes {known.config}; set renderer.network so")
        net.load_state_dict(known.state_dict())
    return net


PER_TARGET = {"true", "whole", "alpha", "flows", "target_masks", "corner"}


def window_tensors(
    clip: SpeakingClip, source: int, targets: np.ndarray, config: RendererStageConfig, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Everything the renderer and its losses look at for one window of n targets.

    With S = ``config.network.size`` and R = 168. source (3, R, R), true (n, 3, S, S), whole (n, 3, R, R): uint8.
    source_mask (R, R), flows (n, 3, S, S, 2) and target_masks (n, 2, S, S): see :class:`MouthGeometry`. alpha
    (n, 1, S, S): what is pasted. corner (n, 2): of the mouth's square, row and column. sound (1, 80, 16), and
    sounding: whether it may be trusted.
    """
    size, pixels = config.network.size, WIDE_PIXELS
    margin = (pixels - size) // 2
    shown = clip.edited or clip
    assert shown.clip.regions is not None and clip.clip.regions is not None
    meshes, skulls = [], []
    for side, frames in ((shown, np.array([source])), (clip, targets)):
        pose = side.pose.rows(frames)
        crops = mouth_regions(pose, margin=MARGIN)
        meshes += [place_mesh(mesh, crop) for mesh, crop in zip(side.clip.landmarks[frames], crops, strict=True)]
        skulls += [crop.to_crop(skull, pixels) for crop, skull in zip(crops, skull_points(pose), strict=True)]
    noise = rng.normal(0, config.jitter, (478, 3)) * (1, 1, 0)
    geometry = [
        mouth_geometry(meshes[0], mesh + noise, skulls[0], skull, source_size=pixels, target_size=size)
        for mesh, skull in zip(meshes[1:], skulls[1:], strict=True)
    ]
    whole = np.array(clip.clip.regions[targets]).transpose(0, 3, 1, 2)
    first = np.array(shown.clip.regions[source]).transpose(2, 0, 1)
    if rng.random() < 0.5 and config.jitter:  # a second brightness and contrast for each window
        gain, offset = rng.uniform(0.8, 1.2), rng.uniform(-20, 20)
        whole, first = (np.clip(x * gain + offset, 0, 255).astype(np.uint8) for x in (whole, first))
    corners = []
    for mesh in meshes[1:]:
        centre = mesh[list(OUTER_LIPS), :2].mean(axis=0) - margin
        corners.append(np.clip(np.rint(centre[::-1] - MOUTH / 2), 0, size - MOUTH).astype(np.int64))
    # Experts look at five frames.
    sound = sound_at(clip, int(targets[0])) if len(targets) == FRAMES else None
    return {
        "source": first,
        "source_mask": geometry[0].source_mask,
        "true": whole[:, :, margin : margin + size, margin : margin + size],
        "whole": whole,
        "flows": np.stack([g.flows for g in geometry]),
        "target_masks": np.stack([g.target_masks for g in geometry]),
        "alpha": np.stack([lower_face([mesh[:, :2] - margin], size) for mesh in meshes[1:]])[:, None],
        "corner": np.stack(corners),
        "sound": np.zeros((1, WAV2LIP.n_mels, COLUMNS), np.float32) if sound is None else sound,
        "sounding": np.array(sound is not None),
    }


def still_window(network: RendererLosses, clip: SpeakingClip, source: int) -> Batch:
    """The window after frame ``source`` as it is, nothing augmented, where the network is; as many targets as are drawn
    in training, evenly spread."""
    config = replace(network.config, jitter=0.0)
    n = config.data.window
    spread = np.linspace(0, n + 1, config.drawn + 2)[1:-1].round().astype(int) if config.drawn else 1 + np.arange(n)
    targets = source + spread
    window = window_tensors(clip, source, targets, config, np.random.default_rng(0))
    device = next(network.net.parameters()).device
    return {name: torch.from_numpy(np.asarray(value, order="C")).to(device) for name, value in window.items()}


@torch.no_grad()
def render_window(net: MouthRenderer, batch: Batch) -> tuple[Tensor, Tensor]:
    """One window of :func:`window_tensors`, as tensors → drawn and merely warped (n, 3, S, S)."""
    count = len(batch["true"])
    source = (batch["source"].float() / 255)[None].expand(count, -1, -1, -1)
    mask = batch["source_mask"][None].expand(count, -1, -1)
    return net(source, mask, batch["flows"], batch["target_masks"]), warp_only(source, batch["flows"])


@torch.no_grad()
def renderer_scores(network: RendererLosses, clips: Sequence[SpeakingClip]) -> dict[str, float]:
    """PSNR of mouths (64 x 64 px around the lips) drawn and merely warped, and the perceptual loss of both."""
    rows = []
    for clip in clips[:: max(1, len(clips) // 8)]:
        for source in np.linspace(0, clip.frames - network.config.data.window - 2, 2).astype(int):
            batch = still_window(network, clip, int(source))
            drawn, warped = render_window(network.net, batch)
            for i in range(len(drawn)):
                true = cut(batch["true"][i].float() / 255, batch["corner"][i])
                row = []
                for picture in (drawn[i], warped[i]):
                    mouth = cut(picture, batch["corner"][i])
                    row.append(float(-10 * torch.log10((mouth - true).square().mean() + 1e-6)))
                    row.append(float(network.perceptual(mouth[None], true[None])) if network.perceptual else 0.0)
                rows.append(row)
    means = np.mean(rows, axis=0)
    return dict(zip(("psnr", "perceptual", "psnr_warp", "perceptual_warp"), map(float, means), strict=True))
