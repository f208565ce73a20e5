"""All networks of EAT, as they are named in its checkpoints, and loading them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...errors import WeightsError
from ...networks.acceleration import enlarge_in_place
from ...networks.checkpoint import State, build, read_networks
from ...networks.discriminator import Discriminator
from ...networks.folding import drop_unused, fold
from ...weights.reading import safe_load
from .audio_to_keypoints import AudioToKeypoints
from .emotion_prompt import EmotionPromptNetwork
from .generator import Generator
from .head_pose import HeadPoseEstimator
from .keypoint_detector import KeypointDetector
from .side_tuning import EmotionalDeformation

CHECKPOINT_NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "kp_detector": KeypointDetector,
    "he_estimator": HeadPoseEstimator,
    "emotionprompt": EmotionPromptNetwork,
    "audio2kptransformer": AudioToKeypoints,
    "sidetuning": EmotionalDeformation,
    "generator": Generator,
}
TRAINING_NETWORKS: dict[str, Callable[[], nn.Module]] = {"discriminator": Discriminator}
# The files beside the checkpoint: name of the file, of the tensor in a converted file, shape.
_CONSTANTS = {"U_mead.npy": ("basis", (45, 45)), "mean_mead.npy": ("mean", (45,))}
SPEECH_PAD = ("pad.npy", "silence", (16, 29))


class EatNetworks(nn.Module):
    """All networks of EAT for inference: batch norms folded, unused parts dropped.

    basis: (45, 45), turns coefficients into keypoint offsets.
    mean: (45,), added to them.
    silence: (16, 29), the speech window outside the clip.
    """

    basis: Tensor
    mean: Tensor
    silence: Tensor

    def __init__(self, networks: Mapping[str, Any], constants: dict[str, Tensor]) -> None:
        super().__init__()
        self.keypoints: KeypointDetector = networks["kp_detector"]
        self.head_pose: HeadPoseEstimator = networks["he_estimator"]
        self.prompts: EmotionPromptNetwork = networks["emotionprompt"]
        self.audio: AudioToKeypoints = networks["audio2kptransformer"]
        self.deformation: EmotionalDeformation = networks["sidetuning"]
        self.generator: Generator = networks["generator"]
        for name, tensor in constants.items():
            self.register_buffer(name, tensor.float())
        self._accelerated = False

    def accelerate(self) -> None:
        """Rewrite networks for float32 on a CPU: fewer multiplications, the same results within rounding."""
        if not self._accelerated:
            self.generator.accelerate()
            enlarge_in_place(self.keypoints)
            self._accelerated = True


def read_constants(files: Sequence[Path]) -> dict[str, Tensor]:
    """Read the constants that lie beside EAT's checkpoint.

    Args:
        files: Files of a release, or a converted one; others among them are ignored.

    Returns:
        The tensors ``basis``, ``mean`` and, where there is one, ``silence``.

    Raises:
        WeightsError: An array cannot be read, or has another shape.
    """
    known = {**_CONSTANTS, SPEECH_PAD[0]: SPEECH_PAD[1:]}
    found: dict[str, Tensor] = {}
    for file in files:
        if file.suffix == ".safetensors":
            loaded: dict[str, Any] = safe_load(file)
            found |= {name: loaded[f"constants.{name}"] for name, _ in known.values() if f"constants.{name}" in loaded}
        elif file.name in known:
            name, shape = known[file.name]
            try:
                array = np.load(file, allow_pickle=False)
            except (OSError, ValueError) as error:
                raise WeightsError(f"{file} is no array without program code; get it again ({error})") from None
            if name == "silence" and array.shape != shape:
                continue  # other releases keep other things under this name
            if array.shape != shape:
                raise WeightsError(f"{file} has the shape {array.shape}, not {shape}; it is another file")
            found[name] = torch.from_numpy(np.array(array, np.float32))
    return found


def read_checkpoint(files: Sequence[Path]) -> dict[str, State]:
    """Read the checkpoint: state dicts by network, with the discriminator where there is one."""
    names = (*CHECKPOINT_NETWORKS, *TRAINING_NETWORKS)
    archives = [file for file in files if file.suffix != ".npy"]
    return read_networks(archives, names, required=tuple(CHECKPOINT_NETWORKS), system="EAT")


def load_eat(files: Sequence[Path]) -> EatNetworks:
    """Load EAT's networks.

    Args:
        files: Published files, or a converted one.

    Returns:
        The networks, on the CPU, in float32.

    Raises:
        WeightsError: Something is missing or of another architecture.
    """
    states, constants = read_checkpoint(files), read_constants(files)
    if missing := [file for file, (name, _) in _CONSTANTS.items() if name not in constants]:
        raise WeightsError(f"EAT: {', '.join(missing)} is missing; put it beside the checkpoint, from the same release")
    constants.setdefault("silence", torch.zeros(SPEECH_PAD[2]))
    networks: dict[str, Any] = {}
    for name, make in CHECKPOINT_NETWORKS.items():
        networks[name] = fold(drop_unused(build(make, states.pop(name), what=f"EAT's {name}")))
    networks["generator"].decoder.merge()
    return EatNetworks(networks, constants)
