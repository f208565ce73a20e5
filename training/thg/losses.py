"""The four losses of the paper (Eq. 6-10) on drawn mouth regions."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thfem_core.errors import WeightsError
from thfem_core.weights.reading import load_strict, state_dict

# Channels of VGG's convolutions; "M" halves the picture. Perceptual losses end before the last pooling.
_VGG = {
    "vgg16": (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512),
    "vgg19": (64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512),
}


def pixel_loss(drawn: Tensor, true: Tensor, weight: Tensor) -> Tensor:
    """Eq. 8: L1 of pictures (B, 3, S, S) in 0..1, each pixel weighted by ``weight`` (B, 1, S, S)."""
    return ((drawn - true).abs() * weight).sum() / (3 * weight.sum()).clamp_min(1.0)


class PerceptualLoss(nn.Module):
    """Eq. 9: distance between features of a fixed VGG, summed over layers.

    Features are taken before each pooling and brought to unit length over the channels, as LPIPS has it, so that deep
    layers do not drown the shallow ones; their squared distance is averaged over positions.

    weights: file with torchvision's keys (``features.0.weight``, ...) of VGG16 or VGG19. depth: convolution blocks
    looked through, 1 to 5. Raises WeightsError where the file is missing or holds something else.
    """

    def __init__(self, weights: Path, *, depth: int = 4) -> None:
        super().__init__()
        if not weights.exists():
            raise WeightsError(
                f"{weights} is missing; it must hold VGG16 or VGG19 with torchvision's keys: make it with "
                "python -m training.convert_lpips, or save torchvision's weights there (BSD)"
            )
        state = state_dict(weights)
        name = "vgg19" if "features.34.weight" in state else "vgg16"
        layers: list[nn.Module] = []
        channels = 3
        for item in _VGG[name]:
            if item == "M":
                if sum(isinstance(layer, nn.MaxPool2d) for layer in layers) + 1 == depth:
                    break
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, int(item), 3, padding=1), nn.ReLU()]
                channels = int(item)
        self.features = nn.Sequential(*layers)
        own = self.state_dict()
        load_strict(self, {key: value for key, value in state.items() if key in own}, what=f"the {name} of {weights}")
        self.requires_grad_(False)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)

    def forward(self, drawn: Tensor, true: Tensor) -> Tensor:
        """Pictures (B, 3, S, S) in 0..1 → scalar."""
        x = (drawn - self.mean) / self.std
        with torch.no_grad():
            y = (true - self.mean) / self.std
        total = drawn.new_zeros(())
        for i, layer in enumerate(self.features):
            x = layer(x)
            with torch.no_grad():
                y = layer(y)
            last = i + 1 == len(self.features) or isinstance(self.features[i + 1], nn.MaxPool2d)
            if last:
                total = total + (F.normalize(x, dim=1) - F.normalize(y, dim=1)).square().sum(dim=1).mean()
        return total


def sync_loss(seen: Tensor, heard: Tensor, *, epsilon: float = 1e-4) -> Tensor:
    """Eq. 7: mean -log of the cosine between embeddings (B, D) of faces and of sound."""
    return -F.cosine_similarity(seen, heard, dim=1, eps=1e-8).clamp_min(epsilon).log().mean()


class MouthCritic(nn.Module):
    """The opponent of Eq. 10: judges patches of mouths (B, 3, 64, 64), with spectral norm, hinge loss."""

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
        """Pictures in 0..1 → (B, 1, 8, 8), above 0 where it takes them for real."""
        return self.layers(2 * mouths - 1)


def generator_hinge(judged: Tensor) -> Tensor:
    """Eq. 10, the generator's side: judged fakes of any shape."""
    return -judged.mean()


def critic_hinge(real: Tensor, fake: Tensor) -> Tensor:
    """Eq. 10, the opponent's side."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
