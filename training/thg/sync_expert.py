"""The sync expert (Eq. 7): do five pictures of a lower face and 0.2 s of sound belong together?

Same inputs as Wav2Lip's expert, so that one can stand in for the other: faces (B, 15, 48, 96), the lower halves of
five 96 x 96 face crops, frame after frame, RGB in 0..1; sound (B, 1, 80, 16) of the wav2lip profile.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thfem_core.metrics.networks.wav2lip_expert import Wav2LipExpert
from thfem_core.talking_head.mouth.region import LOWER_HALF

FRAMES = 5
COLUMNS = 16


def lower_faces(regions: Tensor) -> Tensor:
    """Windows of stored regions (B, 5, 3, 168, 168) in 0..1 → (B, 15, 48, 96)."""
    cut = regions[..., LOWER_HALF, :].flatten(0, 1)
    small = F.interpolate(cut, size=(48, 96), mode="bilinear", antialias=True, align_corners=False)
    return small.unflatten(0, regions.shape[:2]).flatten(1, 2)


def _layers(channels: int, *sizes: tuple[int, int | tuple[int, int]], dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width, stride in sizes:
        layers += [nn.Conv2d(channels, width, 3, stride, 1), nn.GroupNorm(8, width), nn.GELU(), nn.Dropout2d(dropout)]
        channels = width
    return nn.Sequential(*layers)


class SyncExpert(nn.Module):
    """Two embeddings of unit length."""

    def __init__(self, *, size: int = 128, dropout: float = 0.1) -> None:
        super().__init__()
        self.face = _layers(15, (32, 2), (64, 2), (96, 2), (128, 2), dropout=dropout)
        self.sound = _layers(1, (32, (2, 1)), (48, (2, 1)), (64, 2), (96, 2), (128, 2), dropout=dropout)
        self.face_out = nn.Linear(128 * 3 * 6, size)
        self.sound_out = nn.Linear(128 * 3 * 2, size)
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.shift = nn.Parameter(torch.tensor(-1.0))

    def see(self, faces: Tensor) -> Tensor:
        """(B, 15, 48, 96) → (B, size). Non-negative, as the -log of the cosine needs (Wav2Lip)."""
        return F.normalize(F.softplus(self.face_out(self.face(faces - 0.5).flatten(1)), beta=4), dim=1)

    def hear(self, sound: Tensor) -> Tensor:
        """(B, 1, 80, 16) → (B, size)."""
        return F.normalize(F.softplus(self.sound_out(self.sound(sound * 0.5).flatten(1)), beta=4), dim=1)


class OfficialExpert(nn.Module):
    """Wav2Lip's own expert, with the inputs of :class:`SyncExpert`."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Wav2LipExpert()

    def see(self, faces: Tensor) -> Tensor:
        """(B, 15, 48, 96) RGB → (B, 512)."""
        return self.net.embed_face(faces.unflatten(1, (FRAMES, 3)).flip(2).flatten(1, 2))

    def hear(self, sound: Tensor) -> Tensor:
        """(B, 1, 80, 16) → (B, 512)."""
        return self.net.embed_sound(sound)
