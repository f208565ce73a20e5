"""The pictures that the renderer's sync loss (Eq. 7) looks at, and Wav2Lip's expert, which judges them.

Inputs: faces (B, 15, 48, 96), the lower halves of five 96 x 96 face crops, frame after frame, RGB in 0..1; sound
(B, 1, 80, 16) of the wav2lip profile.
"""

from __future__ import annotations

from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from thfem_core.errors import WeightsError
from thfem_core.metrics.judges.wav2lip.network import Wav2LipExpert
from thfem_core.talking_head.mouth.region import LOWER_HALF
from thfem_core.weights.reading import load_strict, state_dict

FRAMES = 5
COLUMNS = 16


def lower_faces(regions: Tensor) -> Tensor:
    """Windows of stored regions (B, 5, 3, 168, 168) in 0..1 → (B, 15, 48, 96)."""
    cut = regions[..., LOWER_HALF, :].flatten(0, 1)
    small = F.interpolate(cut, size=(48, 96), mode="bilinear", antialias=True, align_corners=False)
    return small.unflatten(0, regions.shape[:2]).flatten(1, 2)


class PictureExpert(nn.Module):
    """Wav2Lip's expert (its network takes BGR)."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Wav2LipExpert()

    def embed_lips(self, faces: Tensor) -> Tensor:
        """(B, 15, 48, 96) → (B, 512)."""
        return self.net.embed_face(faces.unflatten(1, (FRAMES, 3)).flip(2).flatten(1, 2))

    def embed_sound(self, sound: Tensor) -> Tensor:
        """(B, 1, 80, 16) → (B, 512)."""
        return self.net.embed_sound(sound)


def load_expert(path: Path, instead: str) -> PictureExpert:
    """Wav2Lip's ``lipsync_expert.pth``, frozen.

    Args:
        path: The file.
        instead: Says what to set in the configuration where there is none.

    Raises:
        WeightsError: It is missing, or holds something else.
    """
    if not path.is_file():
        raise WeightsError(f"there is no file {path}; get lipsync_expert.pth of Wav2Lip (non-commercial), or {instead}")
    expert = PictureExpert()
    load_strict(expert.net, state_dict(path), what=f"Wav2Lip's expert {path}")
    return expert.eval().requires_grad_(False)
