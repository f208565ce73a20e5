"""All networks of LivePortrait, and loading them from the published files in each of their layouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from ...errors import WeightsError
from ...weights.reading import safe_load
from ..acceleration import channels_last
from ..appearance_volume import SourceAppearance, VolumeEncoder, VolumeWarp
from ..checkpoint import State, build
from ..folding import fold
from ..spade_decoder import SpadeDecoder
from .motion_extractor import KEYPOINTS, MotionExtractor, RawMotion
from .stitching import eye_network, lip_network, stitching_network

# The file of the three small networks in each published layout: marker in the file → prefix → network. Prefixes end
# with a dot: "retarget_eye" alone would match two layouts.
STITCHING_LAYOUTS: dict[str, dict[str, str]] = {
    "retarget_shoulder.": {"retarget_shoulder.": "stitching", "retarget_mouth.": "lip", "retarget_eye.": "eye"},
    "retarget_shoulder_module.": {
        "retarget_shoulder_module.": "stitching",
        "retarget_mouth_module.": "lip",
        "retarget_eye_module.": "eye",
    },
    "stitching.": {"stitching.": "stitching", "retarget_lip.": "lip", "retarget_eye.": "eye"},
}
_SMALL = {"stitching": stitching_network, "lip": lip_network, "eye": eye_network}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """Sizes of the networks, read from the shapes in their files: the published ones, or smaller ones of the same kind.

    width: Channels of the appearance encoder at full resolution.
    channels: Channels of the volume.
    depth: Depth of the volume.
    blocks: 3-D residual blocks of the encoder.
    base: Width of the hourglass at full resolution.
    levels: Halvings of the hourglass.
    features: Channels of the warped features.
    decoder: Widest channels of the decoder.
    hidden: Channels before each modulation of the decoder.
    motion_widths: Channels of the motion extractor's stages.
    motion_depths: Blocks of those stages.
    """

    width: int = 64
    channels: int = 32
    depth: int = 16
    blocks: int = 6
    base: int = 32
    levels: int = 5
    features: int = 256
    decoder: int = 512
    hidden: int = 128
    motion_widths: tuple[int, ...] = (96, 192, 384, 768)
    motion_depths: tuple[int, ...] = (3, 3, 9, 3)

    @property
    def side(self) -> int:
        """Pixels of a side of what the networks see: 256 as published. They draw twice as many."""
        return 8 << self.levels

    @classmethod
    def of(cls, appearance: State, motion: State, warping: State, decoder: State) -> Sizes:
        """Read sizes from state dicts.

        Raises:
            KeyError: They are of another architecture.
        """
        hourglass = "dense_motion_network.hourglass"
        levels = _count(warping, f"{hourglass}.encoder.down_blocks.")
        channels = len(appearance["resblocks_3d.3dr0.conv1.weight"])
        return cls(
            width=len(appearance["first.conv.weight"]),
            channels=channels,
            depth=len(appearance["second.weight"]) // channels,
            blocks=_count(appearance, "resblocks_3d.3dr"),
            base=len(warping[f"{hourglass}.decoder.up_blocks.{levels - 1}.conv.weight"]),
            levels=levels,
            features=len(warping["fourth.weight"]),
            decoder=len(decoder["fc.weight"]),
            hidden=len(decoder["G_middle_0.norm_0.mlp_shared.0.weight"]),
            motion_widths=tuple(
                len(motion[f"detector.stages.{stage}.0.dwconv.weight"])
                for stage in range(_count(motion, "detector.stages."))
            ),
            motion_depths=tuple(
                _count(motion, f"detector.stages.{stage}.") for stage in range(_count(motion, "detector.stages."))
            ),
        )


def _count(state: State, prefix: str) -> int:
    """How many numbers follow ``prefix`` among the keys."""
    return len({key[len(prefix) :].split(".")[0] for key in state if key.startswith(prefix)})


class LivePortraitNetworks(nn.Module):
    """The networks, for inference. lip and eye are None where their file holds only the stitching."""

    def __init__(self, networks: Mapping[str, nn.Module], sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.encoder = cast(VolumeEncoder, networks["appearance"])
        self.motion = cast(MotionExtractor, networks["motion"])
        self.warping = cast(VolumeWarp, networks["warping"])
        self.decoder = cast(SpadeDecoder, networks["decoder"])
        self.stitching = networks["stitching"]
        self.lip = networks.get("lip")
        self.eye = networks.get("eye")
        self._accelerated = False

    @property
    def large(self) -> tuple[nn.Module, ...]:
        """The networks that a graphics card may compute in half precision."""
        return self.encoder, self.warping, self.decoder

    @property
    def dtype(self) -> torch.dtype:
        """Of the large networks."""
        return self.encoder.second.weight.dtype

    def accelerate(self) -> None:
        """For float32 on a CPU: fewer multiplications, the same pictures within rounding. Once and for all."""
        if not self._accelerated:  # on the encoder's few channels fewer multiplications save nothing
            self.warping.accelerate_warp()
            self.decoder.accelerate()
            self._accelerated = True

    def prepare(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move to ``device``, with the large networks in ``dtype`` and in the layout that is fastest there."""
        self.to(device)
        for network in self.large:
            network.to(dtype)
        if device.type == "cpu" and dtype == torch.float32:
            self.accelerate()
        elif device.type != "cpu":
            for network in self.large:
                channels_last(network)

    def read_motion(self, images: Tensor) -> RawMotion:
        """(N, 3, side, side) → :class:`RawMotion`, in float32 whatever the large networks compute in."""
        return self.motion(images.float())

    def appearance(self, images: Tensor) -> SourceAppearance:
        """(N, 3, side, side) → what the warping reads of these sources."""
        return self.warping.appearance(self.encoder.encode_volume(images.to(self.dtype)))

    def render(self, appearance: SourceAppearance, source: Tensor, driving: Tensor) -> Tensor:
        """Draw sources with their keypoints moved.

        Args:
            appearance: Of S sources; S is N, or 1 for all.
            source: (S, 21, 3) their keypoints.
            driving: (N, 21, 3) keypoints to draw.

        Returns:
            (N, 3, 2·side, 2·side) float32 in 0..1.
        """
        return self.decoder(self.warping(appearance, source, driving))


def make_network(name: str, sizes: Sizes) -> nn.Module:
    """One of the networks "appearance", "motion", "warping", "decoder", "stitching", "lip", "eye", not filled."""
    if name in _SMALL:
        return _SMALL[name]()
    if name == "appearance":
        return VolumeEncoder(width=sizes.width, channels=sizes.channels, depth=sizes.depth, blocks=sizes.blocks)
    if name == "motion":
        return MotionExtractor(widths=sizes.motion_widths, depths=sizes.motion_depths)
    if name == "warping":
        return VolumeWarp(
            keypoints=KEYPOINTS,
            channels=sizes.channels,
            depth=sizes.depth,
            features=sizes.features,
            base=sizes.base,
            levels=sizes.levels,
        )
    return SpadeDecoder(features=sizes.features, width=sizes.decoder, hidden=sizes.hidden, upscale=2)


def split_stitching(loaded: Mapping[str, Any], *, what: str) -> dict[str, State]:
    """Take the file of the small networks apart.

    Args:
        loaded: The file's dictionary, flat or nested, in any published layout.
        what: Name of the file, for messages.

    Returns:
        State dicts of "stitching" and, where the file has them, "lip" and "eye".

    Raises:
        WeightsError: It is another file.
    """
    flat: dict[str, Any] = {}
    for key, value in loaded.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}.{inner.removeprefix('module.')}": tensor for inner, tensor in value.items()}
        else:
            flat[str(key).removeprefix("module.")] = value
    for marker, prefixes in STITCHING_LAYOUTS.items():
        if any(key.startswith(marker) for key in flat):
            states = {
                name: {key.removeprefix(prefix): value for key, value in flat.items() if key.startswith(prefix)}
                for prefix, name in prefixes.items()
            }
            return {name: state for name, state in states.items() if state}
    raise WeightsError(f"{what} holds no stitching network; use the file the model table names")


def load_liveportrait(files: Mapping[str, Path]) -> LivePortraitNetworks:
    """Load the networks.

    Args:
        files: Published files (``.safetensors`` or ``.pth``) by role: "appearance", "motion", "warping", "decoder",
            "stitching".

    Returns:
        The networks on the CPU in float32, spectral and batch norms folded.

    Raises:
        WeightsError: A file is unusable or of another architecture.
    """
    states: dict[str, State] = {}
    for role, path in files.items():
        loaded = safe_load(path)
        if role == "stitching":
            states |= split_stitching(loaded, what=path.name)
        else:
            states[role] = {str(key).removeprefix("module."): value for key, value in loaded.items()}
    try:
        sizes = Sizes.of(*(states[role] for role in ("appearance", "motion", "warping", "decoder")))
    except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        names = ", ".join(path.name for path in files.values())
        raise WeightsError(
            f"LivePortrait: {names} are not its networks ({error} is missing); use the files the model table names"
        ) from None
    networks = {}
    for name in list(states):
        what = f"LivePortrait's {name} network ({files.get(name, files['stitching']).name})"
        networks[name] = fold(build(partial(make_network, name, sizes), states.pop(name), what=what))
    complete = LivePortraitNetworks(networks, sizes)
    complete.decoder.merge()
    return complete
