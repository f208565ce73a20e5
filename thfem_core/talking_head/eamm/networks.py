"""All networks of EAMM, as they are named in its checkpoints, and loading them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from ...networks.acceleration import enlarge_in_place, use_winograd
from ...networks.checkpoint import State, build, read_networks
from ...networks.discriminator import Discriminator
from ...networks.folding import drop_unused, fold
from .audio_features import AudioFeatures
from .emotion_displacement import EmotionNetwork
from .generator import Generator
from .keypoint_detectors import FeatureKeypointDetector, KeypointDetector

CHECKPOINT_NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "kp_detector": KeypointDetector,
    "audio_feature": AudioFeatures,
    "kp_detector_a": FeatureKeypointDetector,
    "generator": Generator,
}
# The emotion network is off in the THFEM paper; the discriminator is for training.
OPTIONAL_NETWORKS: dict[str, Callable[[], nn.Module]] = {"emo_detector": EmotionNetwork, "discriminator": Discriminator}


class EammNetworks(nn.Module):
    """All networks of EAMM for inference: batch norms folded, unused parts dropped.

    emotion: Displaces keypoints by an emotion; None where no file had it.
    """

    def __init__(self, networks: Mapping[str, Any]) -> None:
        super().__init__()
        self.keypoints: KeypointDetector = networks["kp_detector"]
        self.audio: AudioFeatures = networks["audio_feature"]
        self.audio_keypoints: FeatureKeypointDetector = networks["kp_detector_a"]
        self.generator: Generator = networks["generator"]
        self.emotion: EmotionNetwork | None = networks.get("emo_detector")
        self._accelerated = False

    def accelerate(self) -> None:
        """Rewrite networks for float32 on a CPU: fewer multiplications, the same results within rounding."""
        if not self._accelerated:
            enlarge_in_place(self.keypoints)
            enlarge_in_place(self.generator)
            use_winograd(self.generator.bottleneck)
            use_winograd(self.generator.down_blocks)
            self._accelerated = True


def read_checkpoint(files: Sequence[Path]) -> dict[str, State]:
    """Read checkpoints: state dicts by network, with the optional ones where there are any."""
    names = (*CHECKPOINT_NETWORKS, *OPTIONAL_NETWORKS)
    return read_networks(files, names, required=tuple(CHECKPOINT_NETWORKS), system="EAMM")


def load_eamm(files: Sequence[Path]) -> EammNetworks:
    """Load EAMM's networks.

    Args:
        files: Published checkpoints, or a converted file.

    Returns:
        The networks, on the CPU, in float32.

    Raises:
        WeightsError: Something is missing or of another architecture.
    """
    states = read_checkpoint(files)
    states.pop("discriminator", None)
    makers = {**CHECKPOINT_NETWORKS, **OPTIONAL_NETWORKS}
    return EammNetworks(
        {
            name: fold(drop_unused(build(makers[name], states[name], what=f"EAMM's {name}")))
            for name in makers
            if name in states
        }
    )
