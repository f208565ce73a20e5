"""Fine-tuning EAMM on adjacent frames, from its published checkpoint.

Its code for this is not public, so the parts are our choice: "adapters" are the two heads that read keypoints from the
audio's features, "paper" the whole way from sound and pose to keypoints, "full" the generator as well. The keypoint
detector of pictures always stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from thfem_core.face.crop import FaceCrop
from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.pose import head_pose
from thfem_core.networks.checkpoint import State, build
from thfem_core.talking_head.eamm.generator import SourceAppearance
from thfem_core.talking_head.eamm.keypoint_detectors import AffineKeypoints
from thfem_core.talking_head.eamm.networks import CHECKPOINT_NETWORKS, OPTIONAL_NETWORKS, EammNetworks, read_checkpoint
from thfem_core.talking_head.eamm.session import mfcc_windows, pose_rows

from ..data.face_windows import FaceWindows, Window
from ..data.pairs import SIZE
from .base import Batch
from .faces import FaceLosses, FaceStage, FaceStageConfig, full_precision, train_only

_HEADS = ("audio_keypoints.kp.", "audio_keypoints.jacobian.")
_AUDIO = ("audio.pose_encoder.", "audio.audio_eocder", "audio.lstm.", "audio.decon.", "audio.down_blocks.")
PARTS = {"adapters": _HEADS, "paper": (*_HEADS, *_AUDIO), "full": (*_HEADS, *_AUDIO, "generator.")}
_WHOLE = FaceCrop(cx=SIZE / 2, cy=SIZE / 2, side=SIZE)


@dataclass(frozen=True, kw_only=True, slots=True)
class EammStageConfig(FaceStageConfig):
    """EAMM's stage; see :class:`FaceStageConfig`. ``latent`` compares keypoints with those of the true frames."""


class EammLosses(FaceLosses):
    """EAMM with its losses on a batch of windows."""

    net: EammNetworks
    stage = "eamm"

    def predict(self, batch: Batch) -> tuple[Callable[[], Tensor], dict[str, Tensor]]:
        with full_precision(batch["mfcc"]):
            return self._predict(batch)

    def _predict(self, batch: Batch) -> tuple[Callable[[], Tensor], dict[str, Tensor]]:
        net, n = self.net, batch["true"].shape[1]
        source = batch["source"].float() / 255
        with torch.no_grad():
            at_source = net.keypoints(source)
        # The recurrent network runs from the source's moment on; its later steps are the targets'.
        codes = net.audio.step_codes(batch["mfcc"].flatten(0, 1), batch["pose"].flatten(0, 1))
        steps = torch.unflatten(codes, 0, (-1, n + 1))
        image = net.audio.image_code(source)[:, None].expand(-1, n + 1, -1)
        hidden, _ = net.audio.lstm(torch.cat([image, steps], dim=2))
        driving = net.audio_keypoints(net.audio.features(hidden[:, 1:].flatten(0, 1)))
        losses = {}
        if self.config.latent:
            with torch.no_grad():
                true = net.keypoints(batch["true"].flatten(0, 1).float() / 255)
            errors = [(ours - theirs).square().mean() for ours, theirs in zip(driving, true, strict=True)]
            losses["latent"] = self.config.latent * torch.stack(errors).sum()

        def draw() -> Tensor:
            appearance = net.generator.encode(source)
            parts = [x.repeat_interleave(n, dim=0) for x in (*appearance, *at_source)] + list(driving)
            if not self.config.checkpointing:
                return self._draw(*parts)
            frames = zip(*(torch.split(values, 1) for values in parts), strict=True)
            return torch.cat([checkpoint(self._draw, *frame, use_reentrant=False) for frame in frames])

        return draw, losses

    def _draw(self, features: Tensor, quarter: Tensor, *keypoints: Tensor) -> Tensor:
        source, driving = AffineKeypoints(*keypoints[:2]), AffineKeypoints(*keypoints[2:])
        appearance = SourceAppearance(features, quarter.float())
        with full_precision(features):
            motion = self.net.generator.motion(appearance, source, driving)
        return self.net.generator.draw(appearance, motion)


def trainable_eamm(files: list[Path]) -> tuple[EammNetworks, dict[str, State]]:
    """EAMM as published, nothing folded, in float32 on the CPU; and the states of networks that are not trained."""
    states = read_checkpoint(files)
    networks: dict[str, nn.Module] = {
        name: build(make, states[name], what=f"EAMM's {name}") for name, make in CHECKPOINT_NETWORKS.items()
    }
    return EammNetworks(networks), {name: states[name] for name in OPTIONAL_NETWORKS if name in states}


class EammStage(FaceStage):
    """EAMM: sound, head pose and an edited frame → the next n frames."""

    config: EammStageConfig
    network: EammLosses

    def __init__(self, config: EammStageConfig) -> None:
        net, self._others = trainable_eamm([Path(file) for file in config.files])
        train_only(net, PARTS[config.parts])
        super().__init__(config, EammLosses(net, config), self._others.get("discriminator"))

    def conditions(self, windows: FaceWindows, window: Window, rng: np.random.Generator) -> dict[str, object]:
        pair = windows.pairs[window.pair]
        frames = np.concatenate([window.targets[:1] - 1, window.targets])
        landmarks = pair.edited_landmarks if self.config.pose == "edited" else pair.target_landmarks
        pose = head_pose(landmarks[frames], canonical_mesh())
        speech = windows.speech[window.pair]
        return {
            "mfcc": mfcc_windows(speech, [int(frame) for frame in frames], pair.frame_rate).numpy(),
            "pose": pose_rows(pose, [_WHOLE] * len(frames)).numpy(),
        }

    def exported(self) -> dict[str, Tensor]:
        """Every network under its published name: what the back end reads as ``eamm.safetensors``."""
        net = self.network.net
        parts = (net.keypoints, net.audio, net.audio_keypoints, net.generator)
        networks = {name: part.state_dict() for name, part in zip(CHECKPOINT_NETWORKS, parts, strict=True)}
        networks |= self._others
        if self.scores is not None:
            networks["discriminator"] = self.scores.net.state_dict()
        return {f"{name}.{key}": value.clone() for name, state in networks.items() for key, value in state.items()}
