"""The paper's losses (Eq. 7-10); a stage weighs and sums them as Eq. 6 does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from thfem_core.errors import WeightsError
from thfem_core.metrics.judges.thfem_sync.network import ThfemSync
from thfem_core.weights.reading import load_strict, state_dict

GanKind = Literal["hinge", "log"]
# Behind which of torchvision's layers features are taken, by block: before the pooling, or relu1_1 … relu5_1.
_BEFORE_POOLING = {"vgg16": (3, 8, 15, 22, 29), "vgg19": (3, 8, 17, 26, 35)}
_FIRST_OF_BLOCK = {"vgg16": (1, 6, 11, 18, 25), "vgg19": (1, 6, 11, 20, 29)}
PYRAMID = (1, 2, 4, 8)


def sync_loss(face: Tensor, sound: Tensor, *, epsilon: float = 1e-4) -> Tensor:
    """Eq. 7 with a picture expert: −log of the cosine between embeddings of faces and of their sound.

    Args:
        face: (B, D) of five drawn frames each.
        sound: (B, D) of the same moments.
        epsilon: smallest cosine that is told apart from 0.

    Returns:
        The mean over the batch.
    """
    return -F.cosine_similarity(face, sound, dim=1, eps=1e-8).clamp(epsilon, 1).log().mean()


def lip_sync_loss(expert: ThfemSync, mouths: Tensor, sound: Tensor) -> Tensor:
    """Eq. 7 with the pack's own expert: −log of the probability that a mouth's motion and a sound belong together.

    The probability is the expert's own, of the scaled cosine, because −log of a cosine has no gradient below 0.

    Args:
        expert: frozen; the gradient reaches the mouths.
        mouths: (..., W, K) coefficients over the basis' spread, consecutive frames; W from 5, the paper's window, to
            about 25, which tells far more.
        sound: (..., W, size) of :meth:`ThfemSync.sound_features` at the same frames.
    """
    cosine = (expert.embed_lips(mouths) * expert.embed_sound(sound)).sum(dim=-1)
    return F.softplus(-expert.logit(cosine)).mean()


def pixel_loss(drawn: Tensor, true: Tensor, weight: Tensor | None = None) -> Tensor:
    """Eq. 8: the mean absolute difference of pictures.

    Args:
        drawn: (B, 3, H, W) in 0..1.
        true: of the same shape.
        weight: (B, 1, H, W) of each pixel; None for equal ones.
    """
    if weight is None:
        return F.l1_loss(drawn, true)
    return ((drawn - true).abs() * weight).sum() / (3 * weight.sum()).clamp_min(1.0)


class PerceptualLoss(nn.Module):
    """Eq. 9: the distance between features of a fixed VGG.

    Two ways, by ``scales``. The paper's: mean absolute difference at relu1_1 … relu5_1, summed over the layers and
    over an image pyramid. For small mouths (``scales`` empty): squared difference of features before each pooling,
    brought to unit length over the channels as LPIPS has it, so that deep layers do not drown the shallow ones.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: Path, *, depth: int = 5, scales: Sequence[int] = ()) -> None:
        """
        Args:
            weights: file with torchvision's keys (``features.0.weight``, …) of VGG16 or VGG19.
            depth: blocks looked through, 1 to 5.
            scales: how many times smaller each picture of the pyramid is; the paper's are :data:`PYRAMID`.

        Raises:
            WeightsError: the file is missing or holds something else.
        """
        super().__init__()
        if not weights.exists():
            raise WeightsError(
                f"{weights} is missing; it must hold VGG16 or VGG19 with torchvision's keys: make it with "
                "python -m training.convert_lpips, or save torchvision's weights there (BSD)"
            )
        state = state_dict(weights)
        name = "vgg19" if "features.34.weight" in state else "vgg16"
        self.scales = tuple(scales)
        self.taps = (_FIRST_OF_BLOCK if self.scales else _BEFORE_POOLING)[name][:depth]
        with torch.device("meta"):
            layers = getattr(torchvision.models, name)(weights=None).features[: self.taps[-1] + 1]
        for layer in layers:
            if isinstance(layer, nn.ReLU):
                layer.inplace = False  # features are looked at after they were read on
        self.features = layers
        known = self.state_dict()
        floats = {key: value.float() for key, value in state.items() if key in known}
        load_strict(self, floats, what=f"the {name} of {weights}", assign=True)
        self.requires_grad_(False)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)

    def _tapped(self, images: Tensor) -> list[Tensor]:
        x, found = (images - self.mean) / self.std, []
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in self.taps:
                found.append(x)
        return found

    def forward(self, drawn: Tensor, true: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) in 0..1 → scalar."""
        total = drawn.new_zeros(())
        for scale in self.scales or (1,):
            ours = self._tapped(smaller(drawn, scale))
            with torch.no_grad():
                theirs = self._tapped(smaller(true, scale))
            for x, y in zip(ours, theirs, strict=True):
                if self.scales:
                    total = total + F.l1_loss(x, y)
                else:
                    total = total + (F.normalize(x, dim=1) - F.normalize(y, dim=1)).square().sum(dim=1).mean()
        return total


def smaller(images: Tensor, factor: int) -> Tensor:
    """A picture of the pyramid: blurred against aliasing, then every ``factor``-th pixel (first-order motion model).

    Args:
        images: (B, C, H, W); zeros are assumed beyond the border.
        factor: 1 gives the images themselves. The Gaussian has σ = (factor − 1) / 2 over 2 round(4 σ) + 1 pixels.
    """
    if factor == 1:
        return images
    sigma = (factor - 1) / 2
    reach = round(4 * sigma)
    offsets = torch.arange(-reach, reach + 1, device=images.device, dtype=torch.float32)
    line = torch.exp(-offsets.square() / (2 * sigma**2))
    line = (line / line.sum()).to(images.dtype)
    kernel = torch.outer(line, line).expand(images.shape[1], 1, -1, -1)
    return F.conv2d(images, kernel, stride=factor, padding=reach, groups=images.shape[1])


class MouthDiscriminator(nn.Module):
    """Judges patches of mouths, with spectral norm: (B, 3, 64, 64) in 0..1 → (B, 1, 8, 8), above 0 for real ones."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        norm = nn.utils.parametrizations.spectral_norm
        self.layers = nn.Sequential(
            norm(nn.Conv2d(3, width, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            norm(nn.Conv2d(width, 2 * width, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            norm(nn.Conv2d(2 * width, 4 * width, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            norm(nn.Conv2d(4 * width, 1, 3, 1, 1)),
        )

    def forward(self, mouths: Tensor) -> Tensor:
        return self.layers(2 * mouths - 1)


class AdversarialLoss(nn.Module):
    """Eq. 10: a discriminator that is trained to tell drawn pictures from real ones, and what it says against them.

    "log" is the printed form (its generator maximises log D instead of minimising log(1 − D), which has the same
    fixed point and a gradient where the discriminator is sure); "hinge" is what EAT's and THFEM's code use.
    """

    def __init__(self, discriminator: nn.Module, *, weight: float, kind: GanKind = "hinge") -> None:
        """
        Args:
            discriminator: pictures (B, 3, H, W) in 0..1 → scores of any shape, higher for real ones.
            weight: of the generator's term.
            kind: of the loss.
        """
        super().__init__()
        self.net, self.weight, self.kind = discriminator, weight, kind

    def generator_loss(self, fake: Tensor) -> Tensor:
        """What drawn pictures are to minimise; leaves no gradient in the discriminator."""
        self.net.requires_grad_(False)
        scores = self.net(fake)
        self.net.requires_grad_(True)
        return F.softplus(-scores).mean() if self.kind == "log" else -scores.mean()

    def forward(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the discriminator is to minimise."""
        real, fake = self.net(real), self.net(fake)
        if self.kind == "log":
            return F.softplus(-real).mean() + F.softplus(fake).mean()
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
