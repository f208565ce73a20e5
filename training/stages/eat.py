"""Fine-tuning EAT on adjacent frames, from its published checkpoint (the paper's main model).

Parts: "adapters" are the style norms of the audio encoder and the two emotion adapters; "paper" adds the emotion
prompts and the emotional deformation network; "full" adds the rest of the audio network and the generator. The keypoint
detector and the head-pose estimator always stay: they define the space in which the others move.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from thfem_core.errors import InputError
from thfem_core.networks.appearance_volume import SourceAppearance
from thfem_core.networks.checkpoint import State, build
from thfem_core.talking_head.eat.audio_to_keypoints import expression_vector
from thfem_core.talking_head.eat.back_end import Timing
from thfem_core.talking_head.eat.emotion_prompt import NOISE
from thfem_core.talking_head.eat.head import EMOTION_LABELS
from thfem_core.talking_head.eat.head_pose import HeadPoseEstimate, HeadPoseEstimator, place_keypoints
from thfem_core.talking_head.eat.networks import (
    CHECKPOINT_NETWORKS,
    SPEECH_PAD,
    EatNetworks,
    read_checkpoint,
    read_constants,
)
from thfem_core.talking_head.eat.pose_image import pose_images
from thfem_core.talking_head.eat.session import hull_volume
from thfem_core.talking_head.eat.speech_features import computed_logits, load_deepspeech
from thfem_core.talking_head.eat.timeline import Timeline, speech_windows
from thfem_core.weights.checksum import sha256_of

from ..data.face_windows import FaceWindows, Window
from ..data.pair_files import TrainingPair
from ..data.prepare import write_beside
from ..stored import reading
from .base import Batch
from .faces import FaceLosses, FaceStage, FaceStageConfig, full_precision, train_only

_ADAPTERS = (".norm1.fc.", ".norm2.fc.", "audio.fea.", "generator.ea3d.")
PARTS = {
    "adapters": _ADAPTERS,
    "paper": (*_ADAPTERS, "prompts.", "deformation."),
    "full": ("prompts.", "deformation.", "audio.", "generator."),
}
_AT_ONCE = 8  # frames whose pose is estimated together
_POSE_WIDTHS = (66, 66, 66, 3, 45)  # of the fields of HeadPoseEstimate


@dataclass(frozen=True, kw_only=True, slots=True)
class EatStageConfig(FaceStageConfig):
    """EAT's stage; see :class:`FaceStageConfig`.

    Attributes:
        deepspeech: file of DeepSpeech 0.1.0 (``output_graph.pb`` or converted).
        timing: "exact", or "thfem-compat" as in the released code.
        outside: what is heard beyond the clip: the release's "silence" or "zeros", as the released training.
        audio_lr: learning rate of the audio network over that of the rest.
    """

    deepspeech: str = ""
    timing: Timing = "exact"
    outside: Literal["silence", "zeros"] = "silence"
    audio_lr: float = 1.5

    def __post_init__(self) -> None:
        FaceStageConfig.__post_init__(self)  # super() does not know a class with slots
        if not self.deepspeech:
            raise InputError("eat.deepspeech is missing; name the file of DeepSpeech 0.1.0, such as output_graph.pb")


class EatLosses(FaceLosses):
    """EAT with its losses on a batch of windows."""

    net: EatNetworks
    stage = "eat"

    def predict(self, batch: Batch) -> tuple[Callable[[], Tensor], dict[str, Tensor]]:
        with full_precision(batch["mel"]):
            return self._predict(batch)

    def _predict(self, batch: Batch) -> tuple[Callable[[], Tensor], dict[str, Tensor]]:
        net, n = self.net, batch["true"].shape[1]
        source = batch["source"].float() / 255
        with torch.no_grad():
            keypoints = net.keypoints(source)
            volume = torch.cat([hull_volume(points[None]) for points in keypoints.value])
        prompts = net.prompts(batch["noise"], batch["label"])
        face = net.audio.face_map(keypoints.logits, prompts.emotion)
        deformation = net.deformation(face, prompts)

        def per_target(values: Tensor) -> Tensor:
            return values.repeat_interleave(n, dim=0)

        poses, source_pose = pose_of(batch["poses"].flatten(0, 1)), pose_of(batch["source_pose"])
        tokens = net.audio.frame_tokens(batch["pose_images"].flatten(0, 2), batch["speech"].flatten(0, 2))
        emotion = per_target(prompts.emotion)
        sound = net.audio.sound(batch["mel"].flatten(0, 1), emotion)
        coefficients = net.audio.coefficients(
            torch.unflatten(tokens, 0, (-1, batch["speech"].shape[2])),
            net.audio.face_tokens(sound, per_target(face)),
            net.audio.head_token(poses),
            per_target(prompts.deep),
        )
        expression = expression_vector(coefficients, per_target(deformation), net.basis, net.mean, per_target(volume))
        losses = {}
        if self.config.latent:
            losses["latent"] = self.config.latent * (expression - poses.expression).square().mean()

        driving = place_keypoints(per_target(keypoints.value), poses, expression)
        placed = per_target(place_keypoints(keypoints.value, source_pose, source_pose.expression))

        def draw() -> Tensor:
            appearance = SourceAppearance(*map(per_target, net.generator.encode(source, prompts.emotion)))
            if not self.config.checkpointing:
                return self._draw(*appearance, placed, driving)
            frames = zip(*(torch.split(values, 1) for values in (*appearance, placed, driving)), strict=True)
            drawn = [checkpoint(self._draw, *frame, use_reentrant=False) for frame in frames]
            return torch.cat(drawn)

        return draw, losses

    def _draw(self, volume: Tensor, compressed: Tensor, placed: Tensor, driving: Tensor) -> Tensor:
        generator, appearance = self.net.generator, SourceAppearance(volume, compressed.float())
        with full_precision(volume):
            motion = generator.motion(appearance, placed, driving)
        drawn: Tensor = generator.decoder(generator.warp(appearance, motion))
        return drawn


def pose_of(rows: Tensor) -> HeadPoseEstimate:
    """(N, 225) as they are stored → the estimate."""
    return HeadPoseEstimate(*torch.split(rows, list(_POSE_WIDTHS), dim=1))


def trainable_eat(files: list[Path]) -> tuple[EatNetworks, State | None]:
    """EAT as published, nothing folded or merged, in float32 on the CPU; and its discriminator, if a file has one."""
    states, constants = read_checkpoint(files), read_constants(files)
    constants.setdefault("silence", torch.zeros(SPEECH_PAD[2]))
    networks: dict[str, nn.Module] = {
        name: build(make, states[name], what=f"EAT's {name}") for name, make in CHECKPOINT_NETWORKS.items()
    }
    return EatNetworks(networks, constants), states.get("discriminator")


class EatStage(FaceStage):
    """EAT: emotion prompt, sound, head pose and an edited frame → the next n frames."""

    config: EatStageConfig
    network: EatLosses

    def __init__(self, config: EatStageConfig) -> None:
        net, discriminator = trainable_eat([Path(file) for file in config.files])
        train_only(net, PARTS[config.parts])
        super().__init__(config, EatLosses(net, config), discriminator)
        # As an array: windows are drawn in processes that must not touch the graphics card.
        self._outside = net.silence.numpy() * (config.outside == "silence")
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        graph = Path(config.deepspeech)
        logits_of = computed_logits(load_deepspeech(graph).to(device))
        name = f"deepspeech-{sha256_of(graph)[:8]}.npy"  # of another graph there may be logits, too
        self._logits: dict[Path, np.ndarray] = {}
        self._poses: dict[Path, np.ndarray] = {}
        estimator = net.head_pose.to(device)
        for windows in (self.windows, self.unseen):
            for pair, sound in zip(windows.pairs, windows.speech, strict=True):
                self._logits[pair.folder] = kept_array(pair.folder / name, partial(logits_of, sound))
                self._poses[pair.folder] = stored_poses(estimator, pair, config.pose)
        net.head_pose.cpu()

    def parameter_groups(self, lr: float) -> list[dict[str, object]]:
        groups: dict[bool, list[nn.Parameter]] = {False: [], True: []}
        for name, weight in self.network.named_parameters():
            if weight.requires_grad:
                groups[name.startswith("net.audio.")].append(weight)
        rates = {False: lr, True: self.config.audio_lr * lr}
        return [{"params": weights, "lr": rates[audio]} for audio, weights in groups.items() if weights]

    def conditions(self, windows: FaceWindows, window: Window, rng: np.random.Generator) -> dict[str, object]:
        pair = windows.pairs[window.pair]
        timeline = Timeline(frame_rate=pair.frame_rate, timing=self.config.timing)
        poses, logits = self._poses[pair.folder], self._logits[pair.folder]
        steps = [timeline.steps(int(target)) for target in window.targets]
        speech = [speech_windows(logits, [step.row for step in row], self._outside).numpy() for row in steps]
        near = np.clip([[step.pose for step in row] for row in steps], 0, len(poses) - 1)
        needed, where = np.unique(near, return_inverse=True)
        boxes = pose_images(pose_of(torch.from_numpy(poses[needed]))).numpy()
        mel = timeline.mel(windows.speech[window.pair], [int(target) for target in window.targets]).numpy()
        return {
            "mel": mel,
            "speech": np.stack(speech),
            "pose_images": boxes[where.reshape(near.shape)],
            "poses": poses[window.targets],
            "source_pose": poses[window.source],
            "label": np.array(EMOTION_LABELS[pair.emotion]),
            "noise": rng.standard_normal(NOISE, np.float32),
        }

    def exported(self) -> dict[str, Tensor]:
        """Every network under its published name: what the back end reads as ``eat.safetensors``."""
        net = self.network.net
        networks = dict(
            zip(
                CHECKPOINT_NETWORKS,
                (net.keypoints, net.head_pose, net.prompts, net.audio, net.deformation, net.generator),
                strict=True,
            )
        )
        states = {name: part.state_dict() for name, part in networks.items()}
        if self.scores is not None:
            states["discriminator"] = self.scores.net.state_dict()
        tensors = {f"{name}.{key}": value for name, state in states.items() for key, value in state.items()}
        tensors |= {f"constants.{name}": getattr(net, name) for name in ("basis", "mean", "silence")}
        return {name: tensor.clone() for name, tensor in tensors.items()}


def kept_array(path: Path, make: Callable[[], np.ndarray]) -> np.ndarray:
    """An array that is kept beside a pair, made where it is not there yet. Raises InputError where it is damaged."""
    if not path.exists():
        write_beside(path, partial(np.save, arr=make()))
    with reading(path, remedy="delete it, and it is made again"):
        array: np.ndarray = np.load(path)
    return array


@torch.no_grad()
def stored_poses(estimator: HeadPoseEstimator, pair: TrainingPair, side: str) -> np.ndarray:
    """(T, 225) head poses of a pair's frames by EAT's own estimator; kept beside the pair.

    Args:
        estimator: frozen; another one gets a file of its own.
        pair: whose frames are looked at.
        side: "edited" or "target".
    """
    weights = estimator.get_parameter("fc_t.weight").detach().cpu().numpy()
    path = pair.folder / f"eat-poses-{side}-{hashlib.sha256(weights.tobytes()).hexdigest()[:8]}.npy"

    def estimated() -> np.ndarray:
        device, rows = next(estimator.parameters()).device, []
        pictures = pair.pictures(side)
        for begin in range(0, len(pictures), _AT_ONCE):
            images = torch.from_numpy(pictures[begin : begin + _AT_ONCE]).to(device).permute(0, 3, 1, 2).float() / 255
            rows.append(torch.cat(estimator(images), dim=1).cpu().numpy())
        return np.concatenate(rows).astype(np.float32)

    return kept_array(path, estimated)
