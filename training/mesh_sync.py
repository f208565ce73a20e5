"""Eq. 7 for drawn faces by the pack's own expert: pictures → face mesh → mouth coefficients → does the sound fit?

The face mesh network is a fixed, differentiable reader of pictures; where it looks and how the head is turned are taken
from the true frames. Nothing but files that come with the package is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thfem_core.audio.mel import log_mel
from thfem_core.audio.profile import COMPACT
from thfem_core.audio.speech import Speech
from thfem_core.face.mediapipe.mesh_net import INPUT_SIDE
from thfem_core.face.mediapipe.models import load_networks
from thfem_core.face.mediapipe.roi import roi_from_landmarks, roi_to_frame
from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.pose import head_pose
from thfem_core.metrics.judges.thfem_sync.network import load_thfem_sync_network
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis

from .losses import lip_sync_loss

OURS = "thfem-sync"
_PER_FRAME = 4  # columns of the compact profile at 25 frames per second


class MeshSyncExpert(nn.Module):
    """Judges windows of drawn faces; frozen, the gradient reaches the pictures."""

    mean: Tensor
    reader: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.mesh = load_networks()["mesh"]
        self.net = load_thfem_sync_network()
        basis = load_mouth_basis()
        self.register_buffer("mean", torch.from_numpy(basis.mean).float(), persistent=False)
        reader = torch.from_numpy(basis.reader / basis.spread).float()
        self.register_buffer("reader", reader, persistent=False)
        self.eval().requires_grad_(False)

    @property
    def steps(self) -> int:
        """Columns of sound around a frame."""
        return self.net.config.steps

    def mouths(self, pictures: Tensor, look: Tensor, scale: Tensor, rotation: Tensor, shift: Tensor) -> Tensor:
        """Mouth coefficients over the basis' spread of faces.

        Args:
            pictures: (N, 3, S, S) in 0..1.
            look: (N, 2, 3) from pixels of the mesh network's crop to pixels of the picture.
            scale: (N,) of the head pose, with ``rotation`` (N, 3, 3) and ``shift`` (N, 3).
            rotation: see ``scale``.
            shift: see ``scale``.

        Returns:
            (N, K).
        """
        size = pictures.shape[-1]
        centres = torch.arange(INPUT_SIDE, device=pictures.device) + 0.5
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        places = torch.stack([x, y, torch.ones_like(x)], dim=2) @ look.transpose(1, 2)[:, None]
        crops = F.grid_sample(
            pictures.float(), places * 2 / size - 1, mode="bilinear", padding_mode="border", align_corners=False
        )
        points, _ = self.mesh(crops)
        flat = points[..., :2] @ look[:, :, :2].transpose(1, 2) + look[:, None, :, 2]
        depth = points[..., 2:] * look[:, :, 0].norm(dim=1)[:, None, None]
        placed = torch.cat([flat, depth], dim=2)
        shapes = (placed - shift[:, None]) @ rotation / scale[:, None, None]
        return (shapes - self.mean).flatten(1) @ self.reader

    def forward(self, pictures: Tensor, sight: dict[str, Tensor], columns: Tensor) -> Tensor:
        """Eq. 7 of windows.

        Args:
            pictures: (B, n, 3, S, S) in 0..1, consecutive frames at 25 per second, n from 5.
            sight: of :func:`sight_of`, each (B, n, …).
            columns: (B, steps + 4 (n − 1), 80) of :meth:`Ear.columns`.
        """
        flat = {name: value.flatten(0, 1) for name, value in sight.items()}
        with torch.autocast(pictures.device.type, enabled=False):  # pixels and angles need float32
            mouths = torch.unflatten(self.mouths(pictures.flatten(0, 1), **flat), 0, pictures.shape[:2])
            return lip_sync_loss(self.net, mouths, self.net.sound_features(columns))


def sight_of(landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """Where the mesh network looks, and the head pose, of true landmarks (n, 478, 3) in pixels of the pictures."""
    pose = head_pose(landmarks, canonical_mesh())
    look = np.stack([roi_to_frame(roi_from_landmarks(points), INPUT_SIDE) for points in landmarks])
    values = {"look": look, "scale": pose.scale, "rotation": pose.rotation, "shift": pose.translation}
    return {name: np.asarray(value, np.float32) for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Ear:
    """The sound of a clip as the expert hears it.

    Attributes:
        mel: (M, 80) columns of the compact profile, speech at one level, four per frame.
        steps: columns around a frame.
    """

    mel: np.ndarray
    steps: int

    @classmethod
    def of(cls, speech: Speech, steps: int) -> Ear:
        samples = torch.from_numpy(np.array(speech.samples)) * speech.gain
        return cls(log_mel(samples, COMPACT).numpy(), steps)

    def columns(self, frames: np.ndarray) -> np.ndarray:
        """(steps + 4 (n − 1), 80) around consecutive ``frames`` (n,); the ends of the sound are held."""
        reach = (self.steps - 1) // 2
        columns = np.arange(_PER_FRAME * frames[0] - reach, _PER_FRAME * frames[-1] + reach + 1)
        return self.mel[np.clip(columns, 0, len(self.mel) - 1)].astype(np.float32)
